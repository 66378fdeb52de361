"""Supervision of child processes: start, health, output, restart and stop."""
