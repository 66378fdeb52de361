"""The storage of record, as the services see it.

There is one writer at a time, and any number of readers, each on a snapshot. A write is one
transaction. It takes the next position when it begins; only its commit makes the position
visible.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeAlias, TypeVar

from core.domain.changes import Change, ChangeRef
from core.domain.entity import Entity
from core.domain.log_hash import GENESIS
from core.ports.cluster import Term
from core.ports.rows import (
    ChunkReader,
    ChunkWriter,
    DocumentReader,
    DocumentWriter,
    FeedbackReader,
    FeedbackWriter,
    LibraryReader,
    LibraryWriter,
    RowReader,
    RowWriter,
    StagedReader,
    StagedWriter,
)

N = TypeVar("N", bound=Entity)


@dataclass(frozen=True, slots=True)
class Replay:
    """The response first sent under an idempotency key; `fingerprint` is the request's."""

    fingerprint: str
    status: int
    headers: dict[str, str]
    body: bytes


Durability: TypeAlias = Literal["full", "relaxed"]
"""`full`: a commit returns once it is on the disk. `relaxed`: a power cut may lose it."""

DurabilityLevel: TypeAlias = Literal["local", "asynchronous", "synchronous"]
"""The disks that have an acknowledged write: the database's own, soon a standby's as well, or
already a standby's."""


@dataclass(frozen=True, slots=True)
class DurabilityState:
    """The level of writes now; `problem` is what keeps it from `synchronous`, and what to do.

    A synchronous database has a problem while no standby is connected that could confirm a write.
    """

    level: DurabilityLevel
    problem: str | None = None


REPLAY_RETENTION = timedelta(hours=24)


class Replays(Protocol):
    def get(self, key: str) -> Replay | None: ...


class ReplayWriter(Replays, Protocol):
    def put(self, key: str, replay: Replay) -> None:
        """Store a response under its key.

        Raises:
            Conflict: the key is taken.
        """
        ...


@dataclass(frozen=True, slots=True)
class LogEntry:
    """The changes of the write at `position`, in its order; committed about `at`.

    `hash`: that of the log up to this entry (`core.domain.log_hash`).
    """

    position: int
    at: datetime
    changes: Sequence[ChangeRef]
    hash: bytes = GENESIS


class LogReader(Protocol):
    """The log, without gaps from `oldest` to the snapshot's position."""

    @property
    def oldest(self) -> int | None:
        """Return the position of the oldest entry; `None` if nothing was ever written."""
        ...

    def after(self, position: int) -> Iterator[LogEntry]:
        """Yield the entries after `position`, in order; all of them if `oldest <= position + 1`."""
        ...

    @property
    def last_hash(self) -> bytes:
        """Return the hash of the last entry, and so of the whole log."""
        ...

    def broken_links(self) -> Iterator[int]:
        """Yield the position of each entry whose hash does not follow from the entry before it."""
        ...


class Snapshot(Protocol):
    """The whole record as of `position`."""

    @property
    def position(self) -> int: ...
    @property
    def libraries(self) -> LibraryReader: ...
    @property
    def documents(self) -> DocumentReader: ...
    @property
    def chunks(self) -> ChunkReader: ...
    @property
    def staged(self) -> StagedReader: ...
    @property
    def feedback(self) -> FeedbackReader: ...
    @property
    def replays(self) -> Replays: ...
    @property
    def log(self) -> LogReader: ...

    def entities(self, kind: type[N], /) -> RowReader[N]:
        """Return the entities of a class; reading a row of another shape raises `StorageError`."""
        ...


class UnitOfWork(Protocol):
    """A write, which sees its own changes; without `commit` none of them is kept.

    `position` is the write's position, and the `version` of every row that it puts.
    """

    @property
    def position(self) -> int: ...
    @property
    def libraries(self) -> LibraryWriter: ...
    @property
    def documents(self) -> DocumentWriter: ...
    @property
    def chunks(self) -> ChunkWriter: ...
    @property
    def staged(self) -> StagedWriter: ...
    @property
    def feedback(self) -> FeedbackWriter: ...
    @property
    def replays(self) -> ReplayWriter: ...
    def entities(self, kind: type[N], /) -> RowWriter[N]: ...
    def commit(self) -> None: ...


CommitListener: TypeAlias = Callable[[int, Sequence[Change], bytes], None]
"""Takes the position of a commit, its changes, and the log's hash at the position."""


class Store(Protocol):
    @property
    def cursor_key(self) -> bytes:
        """Return the database's secret, with which listings sign their cursors."""
        ...

    @property
    def instance_id(self) -> str:
        """Return the database's id, 32 hexadecimal digits; a restore makes a new one."""
        ...

    @property
    def position(self) -> int:
        """Return the position of the last commit."""
        ...

    @property
    def epoch(self) -> int:
        """Return the number of times that a process has taken over the writing."""
        ...

    @property
    def head(self) -> tuple[int, bytes]:
        """Return the position of the last commit, and the log's hash there."""
        ...

    def read_durability(self) -> DurabilityState:
        """Return where an acknowledged write is now.

        Raises:
            Unavailable: the database can't be reached.
        """
        ...

    def read(self) -> AbstractContextManager[Snapshot]: ...

    def write(self, *, after_listeners: bool = False) -> AbstractContextManager[UnitOfWork]:
        """Begin a unit of work; concurrent writes may share one commit, which keeps all or none.

        `after_listeners`: begin after the listeners of every earlier position have run.
        """
        ...

    def subscribe(self, listener: CommitListener) -> None:
        """Call the listener after each commit, in order of position, before the writer returns."""
        ...

    def trim_log(self, before: int) -> int:
        """Delete the log's entries before the position `before`; return how many.

        The last entry stays, because it has the time of the last commit. The entries go in
        batches, between which other writes run. Open snapshots are not affected.
        """
        ...

    def reclaim(self) -> int:
        """Delete history that no backup needs, and return free pages to the file system.

        Pages are returned only where they are many. Writes go on meanwhile. Return the bytes
        freed.
        """
        ...

    def close(self) -> None: ...


class FollowingStore(Store, Protocol):
    """A store that may become, and cease to be, the one that writes to its database.

    While it follows, `write` raises `Unavailable`, no commit is listened to, and the log is left to
    the process that writes.
    """

    @property
    def writes(self) -> bool: ...

    @property
    def written(self) -> int:
        """Return the position of the last write of this process's epoch; 0 while it follows."""
        ...

    def watch(self, wake: Callable[[], None]) -> None:
        """Call `wake` soon after each commit of another process, while this one follows.

        It is a hint: a commit may have none, and be seen only at the next look at `head`.
        """
        ...

    def take_over(self, term: Term | None = None) -> None:
        """Write in the epoch of a term, or begin a new epoch; it fences off all other processes.

        Raises:
            StorageError: the database can't be used.
        """
        ...

    def step_down(self, *, at_once: bool = False) -> None:
        """Commit the writes that have begun, and follow from now on.

        `at_once`: do not wait for the database; writes that have begun raise `Unavailable`, and may
        be on record.
        """
        ...
