"""Connections to a database: their settings, errors and statements, and its migrations."""
