"""SQLite as a storage engine: the file in a data directory."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from core.adapters.clock import utc_now
from core.adapters.sql.archive import SqlArchive
from core.adapters.sqlite import checks
from core.adapters.sqlite.archive import archive_in
from core.adapters.sqlite.backup.source import SqliteBackupDatabase
from core.adapters.sqlite.connections.database import check_format, open_reader
from core.adapters.sqlite.connections.errors import sqlite_errors
from core.adapters.sqlite.replica import SqliteReplica
from core.adapters.sqlite.store import DATABASE_NAME, SqliteStore
from core.adapters.sqlite.transactions import SqliteSnapshot
from core.adapters.uploads import DIRECTORY, FolderUploads
from core.domain.errors import StorageError
from core.ports.backups import RestoreTarget
from core.ports.engine import Inspection
from core.ports.store import Durability, FollowingStore


class SqliteEngine:
    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._path = data_dir / DATABASE_NAME
        self.address = str(self._path)

    def open_store(
        self, durability: Durability, *, require_synchronous: bool = False
    ) -> SqliteStore:
        return SqliteStore(
            self.data_dir, durability=durability, require_synchronous=require_synchronous
        )

    def open_follower(
        self,
        durability: Durability,  # noqa: ARG002
        *,
        require_synchronous: bool = False,  # noqa: ARG002
    ) -> FollowingStore:
        """Refuse, because no other machine can reach the file.

        Raises:
            StorageError: always.
        """
        raise StorageError(
            "A follower needs a database that other machines reach: set NALANDA_DATABASE_URL to "
            "the PostgreSQL of the leader. On SQLite, use --readers for more processes."
        )

    def open_replica(self, durability: Durability) -> SqliteReplica:  # noqa: ARG002
        return SqliteReplica(self._path)

    def cluster_record(self, limit_s: float) -> None:  # noqa: ARG002
        return None

    def uploads(self, max_bytes: int) -> FolderUploads:
        return FolderUploads(self.data_dir / DIRECTORY, max_bytes=max_bytes)

    def archive(self) -> SqlArchive:
        return archive_in(self.data_dir)

    def backup_database(self) -> SqliteBackupDatabase:
        return SqliteBackupDatabase(self._path)

    def restore_target(self) -> RestoreTarget | None:
        return None

    @contextmanager
    def inspect(self) -> Iterator[Inspection]:
        if not self._path.exists():
            raise StorageError("The file is missing.")
        with sqlite_errors(), closing(open_reader(self._path)) as connection:
            connection.execute("BEGIN")
            check_format(connection)
            snapshot = SqliteSnapshot(connection, utc_now)
            yield Inspection(snapshot, lambda: checks.problems(connection), sqlite_errors)

    def describe(self) -> str:
        return "SQLite, in the data directory"
