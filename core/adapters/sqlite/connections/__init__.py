"""Connections to a file: its format, their settings, errors and statements."""
