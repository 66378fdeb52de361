"""Backups in a directory, and what is made from them: the state at a position."""
