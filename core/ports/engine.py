"""The port of a storage engine: everything that the address of a database stands for."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.ports.archive import QuestionArchive
from core.ports.backups import BackupDatabase, RestoreTarget
from core.ports.cluster import ClusterRecord
from core.ports.store import Durability, FollowingStore, Snapshot, Store
from core.ports.uploads import UploadStore


@dataclass(frozen=True, slots=True)
class Inspection:
    """The record in one read transaction, for verification.

    `problems` are the engine's own checks of all tables, one line for each problem; `None` where
    reading the record through the ports is all that can be checked. `errors` maps the engine's
    errors.
    """

    snapshot: Snapshot
    problems: Callable[[], Iterator[str]] | None
    errors: Callable[[], AbstractContextManager[None]]


class Engine(Protocol):
    """A database and its data directory; `address` has no password."""

    @property
    def address(self) -> str: ...
    @property
    def data_dir(self) -> Path: ...

    def open_store(self, durability: Durability, *, require_synchronous: bool = False) -> Store:
        """Open the database for this process's writes and reads.

        `require_synchronous`: a write that no standby would confirm raises `StorageUnavailable`.

        Raises:
            DataDirInUse: another process has the data directory.
            StorageError: the data directory or the database can't be used.
        """
        ...

    def open_follower(
        self, durability: Durability, *, require_synchronous: bool = False
    ) -> FollowingStore:
        """Open the database, which a process on another machine may write, with a data directory.

        Raises:
            DataDirInUse: another process has the data directory.
            StorageError: the data directory or the database can't be used, or no other machine can
                reach the database.
        """
        ...

    def open_replica(self, durability: Durability) -> Store:
        """Open the database for reads alone; its `write` raises `Unavailable`.

        `durability` is that of the process that writes.

        Raises:
            StorageError: the database can't be used, or is of another format.
        """
        ...

    def cluster_record(self, limit_s: float) -> ClusterRecord | None:
        """Return the record of a cluster's nodes; `None` where one process alone can write.

        `limit_s`: the time limit of a call.
        """
        ...

    def uploads(self, max_bytes: int) -> UploadStore:
        """Open the store of uploaded files, at most `max_bytes` in all.

        Raises:
            StorageError: the data directory can't be used.
        """
        ...

    def archive(self) -> QuestionArchive:
        """Return the archive of finished questions, which opens at its first use."""
        ...

    def backup_database(self) -> BackupDatabase: ...

    def restore_target(self) -> RestoreTarget | None:
        """Return the database to restore into, or `None` where a restore makes a data directory."""
        ...

    def inspect(self) -> AbstractContextManager[Inspection]:
        """Begin a read transaction; a server may run meanwhile.

        Raises:
            StorageError: the database is missing, damaged, or of another format.
            Unavailable: the database can't be reached for now.
        """
        ...

    def describe(self) -> str:
        """Return one line on the engine and the database; change nothing.

        Raises:
            StorageError: the database can't be used.
        """
        ...
