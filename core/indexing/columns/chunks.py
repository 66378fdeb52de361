"""The chunks of a sealed segment as columns, in a tenth of the memory that objects take.

Millions of objects cost more than their size, as the garbage collector visits each of them
repeatedly. Columns are a few arrays of any length, with the same layout in memory and in files.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from itertools import chain, repeat
from typing import TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from core.domain.document import Chunk
from core.domain.library import Json, Metadata
from core.domain.place import Place
from core.domain.values import from_microseconds, microseconds, to_json
from core.indexing.columns.strings import StringColumn

Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ChunkColumns(Sequence[Chunk]):
    """Chunks as columns; row `i` becomes a `Chunk` when it is read.

    `documents`: the ids of the documents. `document_of`: `(n,) int32`, the place in `documents` of
    each chunk's document. `metadata`, `places`: JSON; a chunk without a place has the empty string.
    `created_us`, `updated_us`: µs since 1970. `hashes`: `(n,) uint64` of the ids, ascending.
    `by_hash`: `(n,) uint32`, the row of each hash.
    """

    library_id: str
    ids: StringColumn
    documents: StringColumn
    document_of: NDArray[np.int32]
    ordinals: Integers
    texts: StringColumn
    metadata: StringColumn
    places: StringColumn
    versions: Integers
    created_us: Integers
    updated_us: Integers
    hashes: NDArray[np.uint64]
    by_hash: NDArray[np.uint32]

    @classmethod
    def of(cls, chunks: Sequence[Chunk]) -> "ChunkColumns":
        """Convert chunks, at least one and all of one library, into columns."""
        documents = dict.fromkeys(chunk.document_id for chunk in chunks)
        numbers = {id_: number for number, id_ in enumerate(documents)}
        hashes, by_hash = _sort_hashes(hashes_of([chunk.id for chunk in chunks]))
        return cls(
            library_id=chunks[0].library_id,
            ids=StringColumn.of(chunk.id for chunk in chunks),
            documents=StringColumn.of(documents),
            document_of=np.array([numbers[chunk.document_id] for chunk in chunks], np.int32),
            ordinals=np.array([chunk.ordinal for chunk in chunks], np.int64),
            texts=StringColumn.of(chunk.text for chunk in chunks),
            metadata=StringColumn.of(to_json(chunk.metadata) for chunk in chunks),
            places=StringColumn.of(map(_place_of, chunks)),
            versions=np.array([chunk.version for chunk in chunks], np.int64),
            created_us=np.array([microseconds(chunk.created_at) for chunk in chunks], np.int64),
            updated_us=np.array([microseconds(chunk.updated_at) for chunk in chunks], np.int64),
            hashes=hashes,
            by_hash=by_hash,
        )

    @classmethod
    def concatenate(cls, pieces: Sequence["ChunkColumns"]) -> "ChunkColumns":
        """Concatenate at least one piece."""
        if len(pieces) == 1:
            return pieces[0]
        names = [[piece.documents[i] for i in range(len(piece.documents))] for piece in pieces]
        numbers = {id_: i for i, id_ in enumerate(dict.fromkeys(chain.from_iterable(names)))}
        document_of = [
            np.array([numbers[id_] for id_ in ids], np.int32)[piece.document_of]
            for ids, piece in zip(names, pieces, strict=True)
        ]
        hashes, by_hash = _sort_hashes(np.concatenate([piece.hashes_by_row() for piece in pieces]))
        return cls(
            library_id=pieces[0].library_id,
            ids=StringColumn.concatenate([piece.ids for piece in pieces]),
            documents=StringColumn.of(numbers),
            document_of=np.concatenate(document_of),
            ordinals=np.concatenate([piece.ordinals for piece in pieces]),
            texts=StringColumn.concatenate([piece.texts for piece in pieces]),
            metadata=StringColumn.concatenate([piece.metadata for piece in pieces]),
            places=StringColumn.concatenate([piece.places for piece in pieces]),
            versions=np.concatenate([piece.versions for piece in pieces]),
            created_us=np.concatenate([piece.created_us for piece in pieces]),
            updated_us=np.concatenate([piece.updated_us for piece in pieces]),
            hashes=hashes,
            by_hash=by_hash,
        )

    def take(self, rows: NDArray[np.intp]) -> "ChunkColumns":
        """Copy the given rows, at least one, in the given order."""
        documents, document_of = np.unique(self.document_of[rows], return_inverse=True)
        hashes, by_hash = _sort_hashes(self.hashes_by_row()[rows])
        return ChunkColumns(
            library_id=self.library_id,
            ids=self.ids.take(rows),
            documents=self.documents.take(documents.astype(np.intp)),
            document_of=document_of.astype(np.int32),
            ordinals=self.ordinals[rows],
            texts=self.texts.take(rows),
            metadata=self.metadata.take(rows),
            places=self.places.take(rows),
            versions=self.versions[rows],
            created_us=self.created_us[rows],
            updated_us=self.updated_us[rows],
            hashes=hashes,
            by_hash=by_hash,
        )

    @property
    def memory_bytes(self) -> int:
        packed = (self.ids, self.documents, self.texts, self.metadata, self.places)
        arrays = (self.document_of, self.ordinals, self.versions, self.created_us)
        arrays_too = (self.updated_us, self.hashes, self.by_hash)
        return sum(p.memory_bytes for p in packed) + sum(a.nbytes for a in (*arrays, *arrays_too))

    def __len__(self) -> int:
        return len(self.document_of)

    @overload
    def __getitem__(self, row: int) -> Chunk: ...
    @overload
    def __getitem__(self, row: slice) -> list[Chunk]: ...
    def __getitem__(self, row: int | slice) -> Chunk | list[Chunk]:
        if isinstance(row, slice):
            return self.at(range(*row.indices(len(self))))
        return ColumnChunk(self, row)

    def __iter__(self) -> Iterator[Chunk]:
        return map(ColumnChunk, repeat(self), range(len(self)))

    def at(self, rows: Sequence[int]) -> list[Chunk]:
        return list(map(ColumnChunk, repeat(self), rows))

    def rows_of(self, wanted: "Ids") -> list[int | None]:
        """Return the row of each id, `None` for unknown ids. O(log n) each."""
        ids, hashes = wanted.ids, wanted.hashes
        starts = np.searchsorted(self.hashes, hashes)
        is_known = starts < len(self.hashes)
        is_known[is_known] = self.hashes[starts[is_known]] == hashes[is_known]
        rows: list[int | None] = [None] * len(ids)
        for i in np.flatnonzero(is_known).tolist():
            rows[i] = self._row_of(ids[i], int(starts[i]), hashes[i])
        return rows

    def _row_of(self, id_: str, start: int, hash_: np.uint64) -> int | None:
        while start < len(self.hashes) and self.hashes[start] == hash_:
            row = int(self.by_hash[start])
            if self.ids[row] == id_:
                return row
            start += 1
        return None

    def hashes_by_row(self) -> NDArray[np.uint64]:
        """Return the hash of each row's id, `(n,) uint64`."""
        hashes = np.empty_like(self.hashes)
        hashes[self.by_hash] = self.hashes
        return hashes


class Ids:
    """Ids to look up in any number of segments; hashed once, when first needed."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = ids

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        return hashes_of(self.ids)


class ColumnChunk(Chunk):
    """A chunk that reads its attributes from columns on access."""

    __slots__ = ("_columns", "_row")
    _columns: ChunkColumns
    _row: int

    # All attributes are read-only properties, so the frozen class's `__setattr__`, which makes
    # construction five times slower, is not needed.
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__

    def __init__(self, columns: ChunkColumns, row: int) -> None:
        self._columns = columns
        self._row = row

    @property
    def id(self) -> str:
        return self._columns.ids[self._row]

    @property
    def library_id(self) -> str:
        return self._columns.library_id

    @property
    def document_id(self) -> str:
        columns = self._columns
        return columns.documents[int(columns.document_of[self._row])]

    @property
    def ordinal(self) -> int:
        return int(self._columns.ordinals[self._row])

    @property
    def text(self) -> str:
        return self._columns.texts[self._row]

    @property
    def metadata(self) -> Metadata:
        metadata: dict[str, Json] = json.loads(self.metadata_json)
        return metadata

    @property
    def metadata_json(self) -> str:
        return self._columns.metadata[self._row]

    @property
    def version(self) -> int:
        return int(self._columns.versions[self._row])

    @property
    def created_at(self) -> datetime:
        return from_microseconds(int(self._columns.created_us[self._row]))

    @property
    def updated_at(self) -> datetime:
        return from_microseconds(int(self._columns.updated_us[self._row]))

    @property
    def place(self) -> Place | None:
        text = self._columns.places[self._row]
        return Place.from_json(text) if text else None

    def __eq__(self, other: object) -> bool:
        """Return whether the other is a chunk with equal attributes."""
        if not isinstance(other, Chunk):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in Chunk.__slots__)

    __hash__ = None  # type: ignore[assignment]  # metadata is not hashable


def _place_of(chunk: Chunk) -> str:
    return "" if chunk.place is None else chunk.place.to_json()


def hashes_of(ids: Sequence[str]) -> NDArray[np.uint64]:
    """Return a hash of each id, `(n,) uint64`, the same in every process."""
    digests = b"".join([blake2b(id_.encode(), digest_size=8).digest() for id_ in ids])
    return np.frombuffer(digests, "<u8")


def _sort_hashes(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    by_hash = np.argsort(hashes, kind="stable").astype(np.uint32)
    return hashes[by_hash], by_hash
