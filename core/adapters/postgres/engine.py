"""PostgreSQL as a storage engine: the database at a URL, and a data directory for the index."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.adapters.clock import utc_now
from core.adapters.postgres.archive import archive_of
from core.adapters.postgres.backup.restore_target import PostgresRestoreTarget
from core.adapters.postgres.backup.source import PostgresBackupDatabase
from core.adapters.postgres.cluster import PostgresClusterRecord
from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.errors import postgres_errors
from core.adapters.postgres.connections.migrate import examine
from core.adapters.postgres.connections.offline_connection import read_offline
from core.adapters.postgres.connections.rows import fetch
from core.adapters.postgres.replica import PostgresReplica
from core.adapters.postgres.store import PostgresStore
from core.adapters.postgres.transactions import PostgresSnapshot
from core.adapters.postgres.uploads import PostgresUploads
from core.adapters.sql.archive import SqlArchive
from core.adapters.uploads import DIRECTORY
from core.ports.engine import Inspection
from core.ports.store import Durability


class PostgresEngine:
    def __init__(self, url: str, data_dir: Path) -> None:
        """Parse the URL, without a connection.

        Raises:
            StorageError: `url` is no PostgreSQL URL.
        """
        self._url = url
        self.data_dir = data_dir
        self._database = Database(url)
        self.address = self._database.address

    def open_store(
        self, durability: Durability, *, require_synchronous: bool = False
    ) -> PostgresStore:
        return self._open(durability, require_synchronous, follows=False)

    def open_follower(
        self, durability: Durability, *, require_synchronous: bool = False
    ) -> PostgresStore:
        return self._open(durability, require_synchronous, follows=True)

    def _open(
        self, durability: Durability, require_synchronous: bool, *, follows: bool
    ) -> PostgresStore:
        return PostgresStore(
            self._database,
            self.data_dir,
            durability=durability,
            require_synchronous=require_synchronous,
            follows=follows,
        )

    def open_replica(self, durability: Durability) -> PostgresReplica:
        return PostgresReplica(self._url, durability)

    def cluster_record(self, limit_s: float) -> PostgresClusterRecord:
        return PostgresClusterRecord(self._database, limit_s)

    def uploads(self, max_bytes: int) -> PostgresUploads:
        return PostgresUploads(self._database, self.data_dir / DIRECTORY, max_bytes=max_bytes)

    def archive(self) -> SqlArchive:
        return archive_of(self._database)

    def backup_database(self) -> PostgresBackupDatabase:
        return PostgresBackupDatabase(self._url)

    def restore_target(self) -> PostgresRestoreTarget:
        return PostgresRestoreTarget(self._url)

    @contextmanager
    def inspect(self) -> Iterator[Inspection]:
        with read_offline(self._database) as connection:
            ((position,),) = fetch(connection, "SELECT position FROM cluster")
            yield Inspection(PostgresSnapshot(connection, position, utc_now), None, postgres_errors)

    def describe(self) -> str:
        return examine(self._url)
