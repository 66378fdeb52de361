"""Backup to a directory, and restore of the state at a position."""
