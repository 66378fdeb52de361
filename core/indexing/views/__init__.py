"""Immutable views of each library for readers, and how a write makes the next one."""
