"""Verification: reads everything that is stored and reports what is wrong."""
