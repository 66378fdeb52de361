"""Fakes in memory that keep the contracts of the ports, for tests without I/O."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import TypeVar

import numpy as np

from core.adapters.positions import note_position
from core.adapters.sql.entries import from_entry, to_entry
from core.adapters.sql.rows import to_time
from core.contracts.query import Feedback
from core.domain.changes import (
    Change,
    ChunksDeleted,
    ChunksPut,
    DocumentDeleted,
    DocumentPut,
    FeedbackAdded,
    LibraryDeleted,
    LibraryPut,
)
from core.domain.document import Chunk, Document, EmbeddedChunk, EmbeddingsById
from core.domain.entity import Entity
from core.domain.errors import Conflict, NotFound, Unavailable
from core.domain.library import Library
from core.domain.log_hash import GENESIS, next_hash
from core.ports.rows import AppendPoint
from core.ports.store import CommitListener, DurabilityState, LogEntry, Replay
from core.providers.base import Purpose, Vectors
from tests.fake_entities import FakeEntities
from tests.fake_staged import FakeStaged
from tests.fake_state import Key, State
from tests.samples import THEN

T = TypeVar("T")
N = TypeVar("N", bound=Entity)


class FakeLibraries:
    def __init__(self, state: State, changes: list[Change]) -> None:
        self._state = state
        self._changes = changes

    def get(self, ref: str) -> Library:
        if ref in self._state.libraries:
            return self._state.libraries[ref]
        for library in self._state.libraries.values():
            if library.name == ref:
                return library
        raise NotFound("library", ref)

    def page(self, *, after: str | None, limit: int, name: str | None = None) -> list[Library]:
        libraries = (self._state.libraries[id_] for id_ in sorted(self._state.libraries))
        wanted = [x for x in libraries if x.id > (after or "") and name in (None, x.name)]
        return wanted[:limit]

    def put(self, library: Library) -> None:
        others = (x for x in self._state.libraries.values() if x.id != library.id)
        if any(other.name == library.name for other in others):
            raise Conflict(f"Another library has the name {library.name!r}.")
        self._state.libraries[library.id] = library
        self._changes.append(LibraryPut(library))

    def delete(self, library_id: str) -> None:
        if self._state.libraries.pop(library_id, None) is None:
            return
        self._state.documents = _without(self._state.documents, library_id)
        self._state.chunks = _without(self._state.chunks, library_id)
        staged = self._state.staged
        self._state.staged = {key: row for key, row in staged.items() if key[0] != library_id}
        entities = self._state.entities
        self._state.entities = {key: row for key, row in entities.items() if key[1] != library_id}
        self._changes.append(LibraryDeleted(library_id))


class FakeDocuments:
    def __init__(self, state: State, changes: list[Change], chunks: "FakeChunks") -> None:
        self._state = state
        self._changes = changes
        self._chunks = chunks

    def get(self, library_id: str, document_id: str) -> Document:
        try:
            return self._state.documents[library_id, document_id]
        except KeyError:
            raise NotFound("document", document_id) from None

    def get_many(self, library_id: str, document_ids: Sequence[str]) -> dict[str, Document]:
        keys = [(library_id, document_id) for document_id in document_ids]
        return {key[1]: self._state.documents[key] for key in keys if key in self._state.documents}

    def page(self, library_id: str, *, after: str | None, limit: int) -> list[Document]:
        keys = sorted(key for key in self._state.documents if key[0] == library_id)
        return [self._state.documents[key] for key in keys if key[1] > (after or "")][:limit]

    def put(self, document: Document) -> None:
        self._state.documents[document.library_id, document.id] = document
        self._changes.append(DocumentPut(document))

    def delete(self, library_id: str, document_id: str) -> None:
        self._chunks.delete_of_document(library_id, document_id)
        if self._state.documents.pop((library_id, document_id), None) is not None:
            self._changes.append(DocumentDeleted(library_id, document_id))


class FakeChunks:
    def __init__(self, state: State, changes: list[Change]) -> None:
        self._state = state
        self._changes = changes

    def get(self, library_id: str, chunk_id: str) -> Chunk:
        try:
            return self._state.chunks[library_id, chunk_id].chunk
        except KeyError:
            raise NotFound("chunk", chunk_id) from None

    def get_many(self, library_id: str, chunk_ids: Sequence[str]) -> dict[str, Chunk]:
        return {id_: row.chunk for id_, row in self._found(library_id, chunk_ids)}

    def embeddings(self, library_id: str, chunk_ids: Sequence[str]) -> EmbeddingsById:
        return {id_: row.embedding for id_, row in self._found(library_id, chunk_ids)}

    def get_many_embedded(self, library_id: str, chunk_ids: Sequence[str]) -> list[EmbeddedChunk]:
        return [row for _, row in self._found(library_id, chunk_ids)]

    def page(self, library_id: str, *, after: str | None, limit: int) -> list[Chunk]:
        rows = (row.chunk for row in self.scan(library_id))
        return [chunk for chunk in rows if chunk.id > (after or "")][:limit]

    def page_of_document(
        self, library_id: str, document_id: str, *, after: tuple[int, str] | None, limit: int
    ) -> list[Chunk]:
        chunks = [
            x for x in self._of_document(library_id, document_id) if _place(x) > _start(after)
        ]
        return sorted(chunks, key=_place)[:limit]

    def next_ordinal(self, library_id: str, document_id: str) -> int:
        return max((x.ordinal + 1 for x in self._of_document(library_id, document_id)), default=0)

    def append_point(
        self, library_id: str, document_id: str, chunk_ids: Sequence[str]
    ) -> AppendPoint:
        library = self._state.libraries.get(library_id)
        return AppendPoint(
            None if library is None else library.version,
            (library_id, document_id) in self._state.documents,
            self.next_ordinal(library_id, document_id),
            min((id_ for id_, _ in self._found(library_id, chunk_ids)), default=None),
        )

    def any(self, library_id: str) -> bool:
        return any(key[0] == library_id for key in self._state.chunks)

    def scan(self, library_id: str) -> Iterator[EmbeddedChunk]:
        keys = sorted(key for key in self._state.chunks if key[0] == library_id)
        return iter([self._state.chunks[key] for key in keys])

    def put(self, library_id: str, rows: Sequence[EmbeddedChunk]) -> None:
        if rows:
            self._state.chunks |= {(library_id, row.chunk.id): row for row in rows}
            self._changes.append(ChunksPut(library_id, tuple(rows)))

    def delete(self, library_id: str, chunk_ids: Sequence[str]) -> int:
        gone = [id_ for id_, _ in self._found(library_id, chunk_ids)]
        for id_ in gone:
            del self._state.chunks[library_id, id_]
        if gone:
            self._changes.append(ChunksDeleted(library_id, tuple(gone)))
        return len(gone)

    def delete_of_document(self, library_id: str, document_id: str) -> int:
        return self.delete(library_id, [x.id for x in self._of_document(library_id, document_id)])

    def _found(self, library_id: str, chunk_ids: Sequence[str]) -> list[tuple[str, EmbeddedChunk]]:
        wanted = dict.fromkeys(chunk_ids)
        state = self._state.chunks
        return [(id_, state[library_id, id_]) for id_ in wanted if (library_id, id_) in state]

    def _of_document(self, library_id: str, document_id: str) -> list[Chunk]:
        chunks = (row.chunk for row in self.scan(library_id))
        return [chunk for chunk in chunks if chunk.document_id == document_id]


class FakeFeedback:
    def __init__(self, state: State, changes: list[Change]) -> None:
        self._state = state
        self._changes = changes

    def of(self, workflow_id: str) -> list[Feedback]:
        return [feedback for of, feedback in self._state.feedback if of == workflow_id]

    def add(self, workflow_id: str, feedback: Feedback) -> None:
        self._state.feedback += ((workflow_id, feedback),)
        self._changes.append(FeedbackAdded(workflow_id))

    def delete(self, workflow_id: str) -> None:
        self._state.feedback = tuple(
            each for each in self._state.feedback if each[0] != workflow_id
        )


class FakeReplays:
    """Replays without expiry, as the fake has no clock."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, key: str) -> Replay | None:
        return self._state.replays.get(key)

    def put(self, key: str, replay: Replay) -> None:
        if key in self._state.replays:
            raise Conflict(f"The idempotency key {key!r} is taken.")
        self._state.replays[key] = replay


class FakeLog:
    def __init__(self, state: State) -> None:
        self._entries = state.log

    @property
    def oldest(self) -> int | None:
        return self._entries[0].position if self._entries else None

    def after(self, position: int) -> Iterator[LogEntry]:
        return (entry for entry in self._entries if entry.position > position)

    @property
    def last_hash(self) -> bytes:
        return self._entries[-1].hash if self._entries else GENESIS

    def broken_links(self) -> Iterator[int]:
        return iter(())


class FakeTransaction:
    """A snapshot and a unit of work in one; only `write` returns one that can commit."""

    def __init__(self, state: State, on_commit: Callable[[State, list[Change]], None]) -> None:
        self._state = state
        self._on_commit = on_commit
        self._changes: list[Change] = []
        self.position = state.position
        self.libraries = FakeLibraries(state, self._changes)
        self.chunks = FakeChunks(state, self._changes)
        self.documents = FakeDocuments(state, self._changes, self.chunks)
        self.staged = FakeStaged(state, self._changes)
        self.feedback = FakeFeedback(state, self._changes)
        self.replays = FakeReplays(state)
        self.log = FakeLog(state)

    def entities(self, kind: type[N]) -> FakeEntities[N]:
        return FakeEntities(self._state, kind)

    def commit(self) -> None:
        self._on_commit(self._state, self._changes)


class FakeStore:
    epoch = 1
    instance_id = "0123456789abcdef" * 2
    cursor_key = b"a key of the fake, of 32 bytes.."

    def __init__(self) -> None:
        self._state = State()
        self._listeners: list[CommitListener] = []
        self._writing = Lock()

    @property
    def position(self) -> int:
        return self._state.position

    @property
    def head(self) -> tuple[int, bytes]:
        return self.position, FakeLog(self._state).last_hash

    def read_durability(self) -> DurabilityState:
        return DurabilityState("local")

    @contextmanager
    def read(self) -> Iterator[FakeTransaction]:
        snapshot = FakeTransaction(self._state, self._commit)
        with note_position(snapshot.position):
            yield snapshot

    @contextmanager
    def write(self, *, after_listeners: bool = False) -> Iterator[FakeTransaction]:
        """Open a unit of work; writes are serial, so listeners have always run."""
        if not self._writing.acquire(timeout=60):
            raise Unavailable("Other writes take too long.")
        try:
            unit = FakeTransaction(self._state.next(), self._commit)
            with note_position(unit.position - 1):
                yield unit
        finally:
            self._writing.release()

    def subscribe(self, listener: CommitListener) -> None:
        self._listeners.append(listener)

    def trim_log(self, before: int) -> int:
        kept_from = min(before, self._state.position)
        log = tuple(entry for entry in self._state.log if entry.position >= kept_from)
        trimmed = len(self._state.log) - len(log)
        self._state = replace(self._state, log=log)
        return trimmed

    def reclaim(self) -> int:
        return 0

    def close(self) -> None:
        pass

    def _commit(self, state: State, changes: list[Change]) -> None:
        previous = state.log[-1].hash if state.log else GENESIS
        entry = to_entry(changes)
        hash_ = next_hash(previous, state.position, 1, to_time(THEN), entry)
        state.log += (LogEntry(state.position, THEN, from_entry(entry), hash_),)
        self._state = state
        for listener in self._listeners:
            listener(state.position, changes, hash_)


class FakeEmbedder:
    """An embedder that hashes the text; its vectors are deterministic and never zero."""

    def __init__(self, model: str = "fake", dimension: int = 4) -> None:
        self.model = model
        self.dimension = dimension
        self.embedded: list[str] = []
        self.batches: list[int] = []

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        self.embedded.extend(texts)
        self.batches.append(len(texts))
        rows = [self._vector(text) for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), self.dimension)

    def _vector(self, text: str) -> list[float]:
        digest = hashlib.shake_128(text.encode()).digest(self.dimension)
        return [1.0 + byte / 256 for byte in digest]


def _without(rows: Mapping[Key, T], library_id: str) -> dict[Key, T]:
    return {key: row for key, row in rows.items() if key[0] != library_id}


def _place(chunk: Chunk) -> tuple[int, str]:
    return (chunk.ordinal, chunk.id)


def _start(after: tuple[int, str] | None) -> tuple[int, str]:
    return after or (-1, "")
