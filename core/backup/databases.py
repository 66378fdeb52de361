"""The database that the settings name, for its backups."""

from core.adapters.postgres.backups import PostgresBackedUp
from core.adapters.sqlite.backups import SqliteBackedUp
from core.adapters.sqlite.store import DATABASE_NAME
from core.ports.backups import BackedUp
from core.settings import Settings


def backed_up(settings: Settings) -> BackedUp:
    """Raises: StorageError: the URL can't be read."""
    if settings.database_url is not None:
        return PostgresBackedUp(settings.database_url.get_secret_value())
    return SqliteBackedUp(settings.data_dir / DATABASE_NAME)
