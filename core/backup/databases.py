"""The database that the settings name: to take backups of, and to restore them into."""

from core.adapters.postgres.backups import PostgresBackedUp
from core.adapters.postgres.restore_target import PostgresToFill
from core.adapters.sqlite.backups import SqliteBackedUp
from core.adapters.sqlite.store import DATABASE_NAME
from core.ports.backups import BackedUp, EmptyDatabase
from core.settings import Settings


def backed_up(settings: Settings) -> BackedUp:
    """Raises: StorageError: the URL can't be read."""
    if settings.database_url is not None:
        return PostgresBackedUp(settings.database_url.get_secret_value())
    return SqliteBackedUp(settings.data_dir / DATABASE_NAME)


def to_fill(settings: Settings) -> EmptyDatabase | None:
    """`None`: the settings name no database. Raises: StorageError: the URL can't be read."""
    if settings.database_url is None:
        return None
    return PostgresToFill(settings.database_url.get_secret_value())
