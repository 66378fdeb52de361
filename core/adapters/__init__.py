"""Storage engines, SQLite and PostgreSQL, behind the ports."""
