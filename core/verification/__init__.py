"""Reads everything that is stored, and says what is wrong."""
