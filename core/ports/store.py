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

from core.contracts.query import Feedback
from core.domain.changes import Change, ChangeRef
from core.domain.document import Chunk, Document, EmbeddedChunk, EmbeddingsById
from core.domain.entity import Entity
from core.domain.library import Library
from core.domain.log_hash import GENESIS
from core.domain.model_change import StagedEmbedding
from core.ports.cluster import Term

E = TypeVar("E")
N = TypeVar("N", bound=Entity)


class LibraryReader(Protocol):
    def get(self, ref: str) -> Library:
        """Return the library with this id, else with this name.

        Raises:
            NotFound: there is no such library.
        """
        ...

    def page(self, *, after: str | None, limit: int, name: str | None = None) -> list[Library]:
        """Return the next libraries after the id `after`, in order of id."""
        ...


class RowReader(Protocol[E]):
    """The entities of one kind in each library."""

    def get(self, library_id: str, id_: str, /) -> E:
        """Return the entity.

        Raises:
            NotFound: the library has no such entity.
        """
        ...

    def get_many(self, library_id: str, ids: Sequence[str], /) -> dict[str, E]:
        """Return the entities by id; an id without an entity is left out."""
        ...

    def page(self, library_id: str, *, after: str | None, limit: int) -> list[E]:
        """Return the next entities after the id `after`, in order of id."""
        ...


DocumentReader: TypeAlias = RowReader[Document]


class ChunkReader(RowReader[Chunk], Protocol):
    def embeddings(self, library_id: str, chunk_ids: Sequence[str]) -> EmbeddingsById: ...

    def get_many_embedded(self, library_id: str, chunk_ids: Sequence[str]) -> list[EmbeddedChunk]:
        """Return the chunks with embeddings, each once, in any order; unknown ids are left out."""
        ...

    def page_of_document(
        self, library_id: str, document_id: str, *, after: tuple[int, str] | None, limit: int
    ) -> list[Chunk]:
        """Return the document's next chunks after `after`, in order of (ordinal, id)."""
        ...

    def next_ordinal(self, library_id: str, document_id: str) -> int: ...

    def any(self, library_id: str) -> bool: ...

    def scan(self, library_id: str) -> Iterator[EmbeddedChunk]:
        """Yield all chunks of a library, in order of id."""
        ...


class LibraryWriter(LibraryReader, Protocol):
    def put(self, library: Library) -> None:
        """Insert or replace a library by id.

        Raises:
            Conflict: another library has the name.
        """
        ...

    def delete(self, library_id: str) -> None: ...


class RowWriter(RowReader[E], Protocol[E]):
    def put(self, entity: E, /) -> None:
        """Insert or replace an entity by id."""
        ...

    def delete(self, library_id: str, id_: str, /) -> None:
        """Delete the entity, if the library has it."""
        ...


DocumentWriter: TypeAlias = RowWriter[Document]


@dataclass(frozen=True, slots=True)
class AppendPoint:
    """The state that chunks are appended to.

    `library_version` is `None` without the library. `taken` is the first of the new ids that a
    chunk of the library has.
    """

    library_version: int | None
    has_document: bool
    next_ordinal: int
    taken: str | None


class ChunkWriter(ChunkReader, Protocol):
    def append_point(
        self, library_id: str, document_id: str, chunk_ids: Sequence[str]
    ) -> AppendPoint:
        """Return the state before chunks with these ids are appended, by one statement."""
        ...

    def put(self, library_id: str, rows: Sequence[EmbeddedChunk]) -> None: ...

    def delete(self, library_id: str, chunk_ids: Sequence[str]) -> int:
        """Delete the chunks; return how many of them existed."""
        ...

    def delete_of_document(self, library_id: str, document_id: str) -> int: ...


class StagedReader(Protocol):
    """The embeddings of chunks by models that their libraries do not have."""

    def count(self, library_id: str, model: str) -> int: ...

    def models(self, library_id: str) -> list[str]:
        """Return the models, in any order, of which there are embeddings."""
        ...

    def chunks_to_stage(
        self, library_id: str, model: str, *, after: str, limit: int
    ) -> list[Chunk]:
        """Return the next chunks after the id `after` without an embedding of their version."""
        ...

    def get_many(self, library_id: str, model: str, chunk_ids: Sequence[str]) -> EmbeddingsById:
        """Return the embeddings by chunk id, of any version; an id without one is left out."""
        ...


class StagedWriter(StagedReader, Protocol):
    def put(self, library_id: str, model: str, rows: Sequence[StagedEmbedding]) -> None: ...

    def copy(self, library_id: str, model: str, *, after: str, limit: int) -> str | None:
        """Stage the own embeddings of the next chunks after `after` that lack one under `model`.

        Returns:
            The last chunk's id; `None` if no chunk lacks one.
        """
        ...

    def switch(self, library_id: str, model: str) -> None:
        """Replace the embeddings of all chunks by those of the model; the chunks' versions stay.

        Every chunk has an embedding of its version, and the library is already put.
        """
        ...

    def delete(self, library_id: str, model: str, *, limit: int) -> int:
        """Delete at most `limit` embeddings; return how many."""
        ...


class FeedbackReader(Protocol):
    def of(self, workflow_id: str) -> list[Feedback]:
        """Return the feedback on a question, oldest first."""
        ...


class FeedbackWriter(FeedbackReader, Protocol):
    def add(self, workflow_id: str, feedback: Feedback) -> None: ...

    def delete(self, workflow_id: str) -> None:
        """Delete all feedback on a question."""
        ...


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
