"""A database with random writes of all kinds, and its state at each position."""

import hashlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TypeAlias

import numpy as np

from core.adapters.sqlite import SqliteStore
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
from core.domain.document import EmbeddedChunk
from core.domain.errors import NotFound
from core.ports.store import Replay, Snapshot, Store, UnitOfWork
from tests.entities import Note
from tests.samples import PLACES, a_document, a_library, a_row

LIBRARIES = ("one", "two", "three")
DOCUMENTS = 8

NotesByPosition: TypeAlias = dict[int, tuple[Note, bool]]
"""The note that a write has put, or deleted (`False`)."""


class Digests:
    """A listener that keeps a digest of the whole state at each position."""

    def __init__(self, store: Store) -> None:
        self._rows: dict[tuple[str, ...], bytes] = {}
        self.notes: NotesByPosition = {}
        """The note of each write that put or deleted one, since a note is no change."""
        self.by_position = {0: self._digest()}
        store.subscribe(self._listen)

    def _listen(self, position: int, changes: Sequence[Change], _: bytes) -> None:
        for change in changes:
            self._take(change)
        if position in self.notes:
            note, is_put = self.notes[position]
            self._rows.pop(key_of(note), None)
            self._rows |= {key_of(note): of_note(note)} if is_put else {}
        self.by_position[position] = self._digest()

    def _take(self, change: Change) -> None:
        match change:
            case LibraryPut(library):
                self._rows[(library.id,)] = repr(library).encode()
            case LibraryDeleted(library_id):
                self._drop(lambda key: key[0] == library_id)
            case DocumentPut(document):
                key = (document.library_id, "document", document.id)
                self._rows[key] = repr(document).encode()
            case DocumentDeleted(library_id, document_id):
                del self._rows[library_id, "document", document_id]
            case ChunksPut(library_id, rows):
                for row in rows:
                    self._rows[library_id, "chunk", row.chunk.id] = of_row(row)
            case ChunksDeleted(library_id, chunk_ids):
                for chunk_id in chunk_ids:
                    del self._rows[library_id, "chunk", chunk_id]
            case FeedbackAdded():
                pass

    def _drop(self, gone: object) -> None:
        assert callable(gone)
        self._rows = {key: row for key, row in self._rows.items() if not gone(key)}

    def _digest(self) -> str:
        return digest_of(self._rows)


def of_row(row: EmbeddedChunk) -> bytes:
    return repr(row.chunk).encode() + np.asarray(row.embedding, "<f4").tobytes()


def digest_of(rows: dict[tuple[str, ...], bytes]) -> str:
    sha256 = hashlib.sha256()
    for key in sorted(rows):
        sha256.update(repr(key).encode() + rows[key])
    return sha256.hexdigest()


def key_of(note: Note) -> tuple[str, ...]:
    return (note.library_id, "note", note.id)


def of_note(note: Note) -> bytes:
    return repr(note).encode()


def digest_of_state(snapshot: Snapshot) -> str:
    """Return the digest of a stored state, comparable to those of `Digests`."""
    rows: dict[tuple[str, ...], bytes] = {}
    for library in snapshot.libraries.page(after=None, limit=10**6):
        rows[(library.id,)] = repr(library).encode()
        for document in snapshot.documents.page(library.id, after=None, limit=10**6):
            rows[library.id, "document", document.id] = repr(document).encode()
        for row in snapshot.chunks.scan(library.id):
            rows[library.id, "chunk", row.chunk.id] = of_row(row)
        for note in snapshot.entities(Note).page(library.id, after=None, limit=10**6):
            rows[key_of(note)] = of_note(note)
    return digest_of(rows)


def digest_in(data_dir: Path) -> tuple[int, str]:
    """Return the position and digest of the database in a directory."""
    with closing(SqliteStore(data_dir)) as store:
        return digest_on(store)


def digest_on(store: Store) -> tuple[int, str]:
    with store.read() as snapshot:
        return snapshot.position, digest_of_state(snapshot)


class Writer:
    """A generator of random writes of all kinds; `notes` gets those that it puts and deletes."""

    def __init__(self, store: Store, seed: int, notes: NotesByPosition | None = None) -> None:
        self._notes = {} if notes is None else notes
        self._store = store
        self._random = Random(seed)

    def write(self) -> int:
        """Make one write; return its position."""
        with self._store.write() as unit:
            library_id = self._random.choice(LIBRARIES)
            self._change(unit, library_id)
            unit.commit()
            return unit.position

    def _change(self, unit: UnitOfWork, library_id: str) -> None:
        dice = self._random.random()
        try:
            unit.libraries.get(library_id)
        except NotFound:
            self._put_library(unit, library_id)
        if dice < 0.02:
            unit.libraries.delete(library_id)
            if self._random.random() < 0.5:  # recreated within the same write
                self._put_library(unit, library_id)
        elif dice < 0.05:
            self._put_library(unit, library_id)
        elif dice < 0.2:
            unit.documents.delete(library_id, self._document_id())
        elif dice < 0.25:
            unit.feedback.add("question", Feedback(rating=1))
        elif dice < 0.33:
            self._change_note(unit, library_id, is_put=dice < 0.3)
        elif dice < 0.5:
            ids = [self._chunk_id(self._document_id()) for _ in range(5)]
            unit.chunks.delete(library_id, ids)
        else:
            self._put_chunks(unit, library_id)
        if self._random.random() < 0.2:
            unit.replays.put(f"key {unit.position}", Replay("f", 201, {}, b"body"))

    def _put_library(self, unit: UnitOfWork, library_id: str) -> None:
        description = str(self._random.random())
        now = datetime.now(UTC)
        library = a_library(library_id, version=unit.position, description=description)
        unit.libraries.put(replace(library, updated_at=now))

    def _change_note(self, unit: UnitOfWork, library_id: str, *, is_put: bool) -> None:
        note = Note(f"n{self._random.randrange(5)}", library_id, version=unit.position)
        if is_put:
            unit.entities(Note).put(note)
        else:
            unit.entities(Note).delete(library_id, note.id)
        self._notes[unit.position] = (note, is_put)

    def _put_chunks(self, unit: UnitOfWork, library_id: str) -> None:
        document_id = self._document_id()
        version = unit.position
        unit.documents.put(a_document(document_id, library_id, version=version))
        ids = {self._chunk_id(document_id) for _ in range(self._random.randint(1, 10))}
        rows = [
            a_row(
                id_,
                document_id,
                library_id,
                version=version,
                text=str(self._random.random()),
                place=self._random.choice(PLACES),
            )
            for id_ in sorted(ids)
        ]
        unit.chunks.put(library_id, rows)
        if self._random.random() < 0.1:  # put twice within one write
            unit.chunks.put(library_id, rows[:2])

    def _document_id(self) -> str:
        return f"d{self._random.randrange(DOCUMENTS)}"

    def _chunk_id(self, document_id: str) -> str:
        return f"{document_id}-c{self._random.randrange(20)}"
