"""The storage of record, as the services see it.

One writer at a time, any number of readers, each on a snapshot. A write is one transaction:
it takes the next position when it begins, and only its commit makes that position real.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeAlias

from core.contracts.query import Feedback
from core.domain.changes import Change, ChangeRef
from core.domain.document import Chunk, Document, EmbeddedChunk, EmbeddingsById
from core.domain.library import Library


class LibraryReader(Protocol):
    def get(self, ref: str) -> Library:
        """By id, else by name. Raises: NotFound."""
        ...

    def page(self, *, after: str | None, limit: int, name: str | None = None) -> list[Library]:
        """In order of id, those behind `after`."""
        ...


class DocumentReader(Protocol):
    def get(self, library_id: str, document_id: str) -> Document:
        """Raises: NotFound."""
        ...

    def page(self, library_id: str, *, after: str | None, limit: int) -> list[Document]:
        """In order of id, those behind `after`."""
        ...


class ChunkReader(Protocol):
    def get(self, library_id: str, chunk_id: str) -> Chunk:
        """Raises: NotFound."""
        ...

    def existing(self, library_id: str, chunk_ids: Sequence[str]) -> dict[str, Chunk]:
        """Those of the ids that are there."""
        ...

    def embeddings(self, library_id: str, chunk_ids: Sequence[str]) -> EmbeddingsById: ...

    def embedded(self, library_id: str, chunk_ids: Sequence[str]) -> list[EmbeddedChunk]:
        """Those of the ids that are there, each once, in any order."""
        ...

    def page(self, library_id: str, *, after: str | None, limit: int) -> list[Chunk]:
        """In order of id, those behind `after`."""
        ...

    def page_of_document(
        self, library_id: str, document_id: str, *, after: tuple[int, str] | None, limit: int
    ) -> list[Chunk]:
        """In order of (ordinal, id), those behind `after`."""
        ...

    def next_ordinal(self, library_id: str, document_id: str) -> int: ...

    def any(self, library_id: str) -> bool: ...

    def scan(self, library_id: str) -> Iterator[EmbeddedChunk]:
        """All of a library, in order of id."""
        ...


class LibraryWriter(LibraryReader, Protocol):
    def put(self, library: Library) -> None:
        """Insert or replace by id. Raises: Conflict: the name is another library's."""
        ...

    def delete(self, library_id: str) -> None: ...


class DocumentWriter(DocumentReader, Protocol):
    def put(self, document: Document) -> None: ...

    def delete(self, library_id: str, document_id: str) -> None: ...


class ChunkWriter(ChunkReader, Protocol):
    def put(self, library_id: str, rows: Sequence[EmbeddedChunk]) -> None: ...

    def delete(self, library_id: str, chunk_ids: Sequence[str]) -> int:
        """How many of them there were."""
        ...

    def delete_of_document(self, library_id: str, document_id: str) -> int: ...


class FeedbackReader(Protocol):
    def of(self, workflow_id: str) -> list[Feedback]:
        """In the order in which it was added."""
        ...


class FeedbackWriter(FeedbackReader, Protocol):
    def add(self, workflow_id: str, feedback: Feedback) -> None: ...


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer once given under an idempotency key; `fingerprint` is that of the request."""

    fingerprint: str
    status: int
    headers: dict[str, str]
    body: bytes


Durability: TypeAlias = Literal["full", "relaxed"]
"""Whether a commit returns once it is on the disk, or may be lost to a power cut soon after."""

REPLAYS_KEPT = timedelta(hours=24)


class Replays(Protocol):
    def get(self, key: str) -> Replay | None: ...


class ReplayWriter(Replays, Protocol):
    def put(self, key: str, replay: Replay) -> None:
        """Raises: Conflict: the key is taken."""
        ...


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What the write at `position` changed, in its order; committed about `at`."""

    position: int
    at: datetime
    changes: Sequence[ChangeRef]


class LogReader(Protocol):
    """Without gaps from `oldest` to the snapshot's position."""

    @property
    def oldest(self) -> int | None:
        """None: nothing was ever written."""
        ...

    def after(self, position: int) -> Iterator[LogEntry]:
        """In order, those behind `position` that it still has: all, if `oldest <= position + 1`."""
        ...


class Snapshot(Protocol):
    """Everything as of `position`."""

    @property
    def position(self) -> int: ...
    @property
    def libraries(self) -> LibraryReader: ...
    @property
    def documents(self) -> DocumentReader: ...
    @property
    def chunks(self) -> ChunkReader: ...
    @property
    def feedback(self) -> FeedbackReader: ...
    @property
    def replays(self) -> Replays: ...
    @property
    def log(self) -> LogReader: ...


class UnitOfWork(Protocol):
    """One write, seeing its own changes. Left without `commit`, nothing of it happened.

    `position` is the one that it will have, and so the `version` of all that it puts.
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
    def feedback(self) -> FeedbackWriter: ...
    @property
    def replays(self) -> ReplayWriter: ...
    def commit(self) -> None: ...


CommitListener: TypeAlias = Callable[[int, Sequence[Change]], None]


class Store(Protocol):
    @property
    def cursor_key(self) -> bytes:
        """A secret made with the database; listings sign their cursors with it."""
        ...

    @property
    def instance_id(self) -> str:
        """The database's own id, 32 hexadecimal digits: made with it, and again by a restore."""
        ...

    @property
    def position(self) -> int:
        """Of the last commit."""
        ...

    def read(self) -> AbstractContextManager[Snapshot]: ...

    def write(self, *, settled: bool = False) -> AbstractContextManager[UnitOfWork]:
        """Writes at the same time may share their last step: all of them are kept, or none.

        `settled`: listeners have been told of every position before this one's.
        """
        ...

    def subscribe(self, listener: CommitListener) -> None:
        """Tell it of each commit, in order of position, before the writer is let go."""
        ...

    def trim_log(self, before: int) -> int:
        """Remove the entries of positions less than `before`; how many there were.

        The last entry stays: it says when the record came to where it is. In batches between
        which others write; it takes no position. Snapshots keep what they see.
        """
        ...

    def reclaim(self) -> int:
        """Lets go of history that no backup needs, and gives back the space of deleted rows if it
        is much; how many bytes. Writes go on meanwhile."""
        ...

    def close(self) -> None: ...
