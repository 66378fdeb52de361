"""The storage of record in PostgreSQL, for one process that writes."""

from core.adapters.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
