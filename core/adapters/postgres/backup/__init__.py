"""Backups and restores of a database, and the history that backups need."""
