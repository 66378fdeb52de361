"""The storage of record in one SQLite file, for one process."""

from core.adapters.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
