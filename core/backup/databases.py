"""Chooses the adapters of backup and restore for the database that the settings name."""

from core.adapters.postgres.backups import PostgresBackedUp
from core.adapters.postgres.restore_target import PostgresToFill
from core.adapters.sqlite.backups import SqliteBackedUp
from core.adapters.sqlite.store import DATABASE_NAME
from core.ports.backups import BackedUp, EmptyDatabase
from core.settings import Settings


def backed_up(settings: Settings) -> BackedUp:
    """Return the database to back up.

    Raises:
        StorageError: the URL can't be parsed.
    """
    if settings.database_url is not None:
        return PostgresBackedUp(settings.database_url.get_secret_value())
    return SqliteBackedUp(settings.data_dir / DATABASE_NAME)


def to_fill(settings: Settings) -> EmptyDatabase | None:
    """Return the database to restore into, or `None` for a data directory.

    Raises:
        StorageError: the URL can't be parsed.
    """
    if settings.database_url is None:
        return None
    return PostgresToFill(settings.database_url.get_secret_value())
