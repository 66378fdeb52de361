"""Ports of backup and restore: a database's rows, and its changes after a position."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol, TypeAlias

BackupRow: TypeAlias = Sequence[Any]

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the work done and the total, in any unit that is the same from call to call."""


HISTORY_RETENTION = timedelta(days=30)
"""History is kept this long for a repository without backups; its next backup is then full."""


@dataclass(frozen=True, slots=True)
class VersionedTable:
    """A table whose rows are put and deleted; `version` is the position of a row's last put."""

    name: str
    key: tuple[str, ...]


VERSIONED = (
    VersionedTable("libraries", ("id",)),
    VersionedTable("documents", ("library_id", "id")),
    VersionedTable("chunks", ("library_id", "id")),
    VersionedTable("entities", ("library_id", "kind", "id")),
)
"""Parents before children."""

APPENDED = {"feedback": "version", "replays": "version", "log": "position"}
"""Append-only tables, and the column with the position at which a row was added."""


class BackupSource(Protocol):
    """The database as of `position`; `schema` counts the migrations that made its tables."""

    @property
    def database_id(self) -> str: ...
    @property
    def position(self) -> int: ...
    @property
    def schema(self) -> int: ...

    def time_of(self, position: int) -> str | None:
        """Return the commit time of a position, or `None` if the log no longer has it."""
        ...

    def reaches_back_to(self, position: int) -> bool:
        """Return whether log and history cover every change after the position."""
        ...

    def columns(self, table: str) -> list[str]: ...

    def current_rows(self, table: VersionedTable, after: int) -> Iterator[BackupRow]:
        """Yield the rows with a version after `after`: their columns, then `None`."""
        ...

    def superseded_rows(self, table: VersionedTable, after: int) -> Iterator[BackupRow]:
        """Yield the rows put after `after` and since replaced or deleted.

        A row is its columns, then the position that ended it.
        """
        ...

    def ended_rows(self, table: VersionedTable, after: int) -> Iterator[BackupRow]:
        """Yield the rows at position `after` that were since replaced or deleted.

        A row is its key, then the position that ended it.
        """
        ...

    def appended_rows(self, table: str, after: int) -> Iterator[BackupRow]: ...

    def copy_to(self, path: Path, progress: Progress) -> None:
        """Copy the whole database to a new SQLite file with Nalanda's tables at `path`."""
        ...


class BackupDatabase(Protocol):
    """A database of which backups are taken."""

    def enrol(self, repository: str) -> None:
        """Keep the history that the repository's next backup needs, from now on."""
        ...

    def source(self) -> AbstractContextManager[BackupSource]: ...

    def record_backup(self, repository: str, position: int) -> None:
        """Record a backup up to this position, and delete history that no backup needs."""
        ...


class RestoreTarget(Protocol):
    """A database that a restore fills; `address` has no password."""

    @property
    def address(self) -> str: ...

    def check_empty(self) -> None:
        """Check that the database is empty.

        Raises:
            StorageError: the database is not empty or can't be opened.
        """
        ...

    def fill(self, path: Path, progress: Progress) -> None:
        """Copy all rows of a SQLite file with Nalanda's newest tables, atomically.

        Raises:
            StorageError: the database is not empty or fails.
            StorageFull: the database's disk is full.
            Unavailable: the database can't be reached for now.
        """
        ...
