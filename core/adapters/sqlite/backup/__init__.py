"""Backups of a file, new files for restores, and the history that backups need."""
