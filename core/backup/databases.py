"""Chooses the adapters of backup and restore for the database that the settings name."""

from core.adapters.postgres.backups import PostgresBackupDatabase
from core.adapters.postgres.restore_target import PostgresRestoreTarget
from core.adapters.sqlite.backups import SqliteBackupDatabase
from core.adapters.sqlite.store import DATABASE_NAME
from core.ports.backups import BackupDatabase, RestoreTarget
from core.settings import Settings


def backup_database(settings: Settings) -> BackupDatabase:
    """Return the database to back up.

    Raises:
        StorageError: the URL can't be parsed.
    """
    if settings.database_url is not None:
        return PostgresBackupDatabase(settings.database_url.get_secret_value())
    return SqliteBackupDatabase(settings.data_dir / DATABASE_NAME)


def restore_target(settings: Settings) -> RestoreTarget | None:
    """Return the database to restore into, or `None` for a data directory.

    Raises:
        StorageError: the URL can't be parsed.
    """
    if settings.database_url is None:
        return None
    return PostgresRestoreTarget(settings.database_url.get_secret_value())
