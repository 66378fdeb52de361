"""Nodes on one PostgreSQL under faults, and the histories of their clients."""
