"""A database as its backups see it: all that is there, and all that changed after a position."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol, TypeAlias

BackupRow: TypeAlias = Sequence[Any]

Progress: TypeAlias = Callable[[int, int], None]
"""Told how much is done, and of how much; in whatever unit, the same from call to call."""


WAITED_FOR = timedelta(days=30)
"""A place that got no backup for so long is not waited for; its next backup is a full one."""


@dataclass(frozen=True, slots=True)
class VersionedTable:
    """One whose rows are put and deleted, with the position of their put in `version`."""

    name: str
    key: tuple[str, ...]


VERSIONED = (
    VersionedTable("libraries", ("id",)),
    VersionedTable("documents", ("library_id", "id")),
    VersionedTable("chunks", ("library_id", "id")),
)
"""Those above before those below."""

APPENDED = {"feedback": "version", "replays": "version", "log": "position"}
"""Tables whose rows stay as they are, and the column with the position that each came with."""


class BackupSource(Protocol):
    """The database as of `position`; `schema` counts the migrations that made its tables."""

    @property
    def database_id(self) -> str: ...
    @property
    def position(self) -> int: ...
    @property
    def schema(self) -> int: ...

    def time_of(self, position: int) -> str | None:
        """When it was committed, as the log has it; `None` if the log does not have it."""
        ...

    def reaches_back_to(self, position: int) -> bool:
        """Whether all that has changed since can be told."""
        ...

    def columns(self, table: str) -> list[str]: ...

    def current(self, table: VersionedTable, after: int) -> Iterator[BackupRow]:
        """Rows with a version after this position, and `None` behind their columns."""
        ...

    def superseded(self, table: VersionedTable, after: int) -> Iterator[BackupRow]:
        """Rows that came after this position and are gone; behind their columns, since when."""
        ...

    def ended(self, table: VersionedTable, after: int) -> Iterator[BackupRow]:
        """The keys of rows that were there at this position and are gone, and since when."""
        ...

    def appended(self, table: str, after: int) -> Iterator[BackupRow]: ...

    def copy_to(self, path: Path, progress: Progress) -> None:
        """All of it, as a SQLite file with Nalanda's tables, to a path where nothing is."""
        ...


class BackedUp(Protocol):
    """A database of which backups are taken."""

    def enrol(self, repository: str) -> None:
        """From now on keep what the next backup there will need."""
        ...

    def source(self) -> AbstractContextManager[BackupSource]: ...

    def taken(self, repository: str, position: int) -> None:
        """A backup up to this position is there; let go of what none needs any more."""
        ...


class EmptyDatabase(Protocol):
    """One that a restore fills. `place` says where it is, without a password."""

    @property
    def place(self) -> str: ...

    def check_empty(self) -> None:
        """Raises: StorageError: it has something in it, or can't be opened."""
        ...

    def fill(self, path: Path, progress: Progress) -> None:
        """With all that a SQLite file with Nalanda's newest tables has; all of it or nothing.

        Raises:
            StorageError: it is not empty; Unavailable, StorageFull: as it says.
        """
        ...
