"""The database that the settings name, for its backups."""

from core.adapters.sqlite.backups import SqliteBackedUp
from core.adapters.sqlite.store import DATABASE_NAME
from core.domain.errors import StorageError
from core.ports.backups import BackedUp
from core.settings import Settings


def backed_up(settings: Settings) -> BackedUp:
    if settings.database_url is not None:
        raise StorageError("Backups are of SQLite alone: unset NALANDA_DATABASE_URL.")
    return SqliteBackedUp(settings.data_dir / DATABASE_NAME)
