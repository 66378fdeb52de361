"""Middleware: checks of hosts, keys and sizes, and the limit on concurrent writes."""
