"""What a reader sees of one library: immutable, and never waited for."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from immutables import Map
from numpy.typing import NDArray
from pyroaring import BitMap

from core.domain.document import Chunk, Document, Embedding
from core.domain.filters import Field, Filter, Scope, fields_of, ids_named_by
from core.domain.library import IndexKind, Library
from core.indexing.attributes import bitmaps
from core.indexing.columns.chunks import Ids
from core.indexing.segment.segment import Part, Serials
from core.indexing.vectors.build_threads import searched
from core.indexing.vectors.vector_index import DEFAULT_EFFORT, Effort
from core.indexing.views.ranking import NOTHING, Ranking, merge

_first = attrgetter("first")


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The chunks that a filter leaves, for the view that was asked and no other.

    `rows`: for each of its parts the live rows, numbered within the part.
    """

    rows: tuple[BitMap, ...]
    count: int

    @classmethod
    def of(cls, rows: tuple[BitMap, ...]) -> "Matches":
        return cls(rows, sum(map(len, rows)))


@dataclass(frozen=True, slots=True, eq=False)
class LibraryView:
    """A library with its documents, chunks and vectors, as of one position.

    `parts`: in order of serials, each with a live row. All are frozen but perhaps the last,
    the delta, which later views append to. `next_serial`: that of the next row to come.
    `revision`: another wherever the live rows are others.
    """

    library: Library
    parts: tuple[Part, ...] = ()
    next_serial: int = 0
    documents: Map[str, Document] = Map()  # noqa: RUF009  # immutable
    revision: int = 0

    @classmethod
    def empty(cls, library: Library) -> "LibraryView":
        return cls(library)

    @property
    def vectors(self) -> int:
        return sum(part.live for part in self.parts)

    @property
    def deleted(self) -> int:
        """Rows that still take space."""
        return sum(part.deleted for part in self.parts)

    @property
    def memory_bytes(self) -> int:
        return sum(part.memory_bytes for part in self.parts)

    def scanned_bytes(self, *, exact: bool) -> int:
        """Of codes that a search without a filter compares one by one."""
        scanned = [part for part in self.parts if exact or part.kind is IndexKind.FLAT]
        return sum(part.size * part.rows.dimension for part in scanned)

    @property
    def delta(self) -> Part | None:
        """The part that new rows go to, if there is one."""
        return self.parts[-1] if self.parts and not self.parts[-1].frozen else None

    def chunk(self, serial: int) -> Chunk:
        part = self._part(serial)
        return part.rows.chunks[part.row_of(serial)]

    def chunks_of(self, serials: Serials) -> list[Chunk]:
        """In the order of the serials."""
        if len(self.parts) != 1:
            return [self.chunk(serial) for serial in serials.tolist()]
        [part] = self.parts
        return part.chunks_at(part.rows_of(serials).tolist())

    def document(self, serial: int) -> Document:
        return self.documents[self.chunk(serial).document_id]

    def embedding(self, serial: int) -> Embedding:
        part = self._part(serial)
        return part.rows.embedding(part.row_of(serial))

    def serials_of(self, ids: Sequence[str]) -> dict[str, int]:
        """Of those that are there. O(parts · log n) each."""
        serials: dict[str, int] = {}
        wanted = Ids(ids)
        for part in self.parts:
            for id_, row in zip(ids, part.rows_with(wanted), strict=True):
                if row is not None:
                    serials[id_] = part.serial_of(row)
        return serials

    def _part(self, serial: int) -> Part:
        parts = self.parts
        return parts[0 if len(parts) == 1 else bisect_right(parts, serial, key=_first) - 1]

    def matching(self, filter_: Filter | None) -> Matches:
        """The chunks that match; all without a filter.

        O(i log i) for a filter that names i ids; else what `core.indexing.attributes` takes in
        sealed parts, and O(n) in others.
        """
        if filter_ is None:
            return Matches.of(tuple(part.live_rows() for part in self.parts))
        ids = ids_named_by(filter_)
        documents = self.documents
        if ids is not None:
            pairs = zip(self.parts, self._rows_of(ids), strict=True)
            return Matches.of(tuple(part.tested(filter_, documents, rows) for part, rows in pairs))
        return Matches.of(tuple(part.matching(filter_, documents) for part in self.parts))

    def unknown_fields(self, filter_: Filter) -> list[str]:
        """The paths of the filter's fields that no chunk has a value for; none without chunks."""
        fields = {} if not self.parts else dict.fromkeys(fields_of(filter_))
        return sorted(field.path for field in fields if not self._has_field(field))

    def _has_field(self, field: Field) -> bool:
        if field.scope is Scope.CHUNK:
            return True
        return any(part.has_field(field, self.documents) for part in self.parts)

    def _rows_of(self, ids: Iterable[str]) -> tuple[BitMap, ...]:
        wanted = Ids(list(ids))
        return tuple(
            BitMap([row for row in part.rows_with(wanted) if row is not None])
            for part in self.parts
        )

    def chunks(self, matches: Matches) -> Iterator[Chunk]:
        """In the order in which they came."""
        for part, rows in zip(self.parts, matches.rows, strict=True):
            yield from map(part.rows.chunks.__getitem__, rows)

    def serials(self, matches: Matches) -> Serials:
        """`(count,) int64`, ascending."""
        found = [
            part.serials_of(bitmaps.to_rows(rows).astype(np.intp))
            for part, rows in zip(self.parts, matches.rows, strict=True)
        ]
        return np.concatenate([np.empty(0, np.int64), *found])

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        matches: Matches | None = None,
        effort: Effort = DEFAULT_EFFORT,
    ) -> list[Ranking]:
        """The `min(k, matches)` nearest chunks for each query, ties in order of chunk id.

        `queries`: `(q, d) float32`, of the library's dimension. `matches`: the chunks to choose
        from, all if `None`.
        """
        if not self.parts:
            return [NOTHING for _ in queries]
        searched()
        queries = self._as_kernels_take(queries)
        effort = effort.or_else(self.library.index.parameters)
        if matches is None:
            parts = self.parts
            found = [part.search(queries, k, effort, None) for part in parts]
        else:
            chosen = [(p, r) for p, r in zip(self.parts, matches.rows, strict=True) if r]
            parts = tuple(part for part, _ in chosen)
            found = [part.search(queries, k, effort, rows) for part, rows in chosen]
        if not parts:
            return [NOTHING for _ in queries]
        return [merge(parts, of_query, k) for of_query in zip(*found, strict=True)]

    def _as_kernels_take(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raises: ValueError: of another dimension, which a kernel would read beyond."""
        if queries.shape[1] != self.parts[0].rows.dimension:
            dimension = self.parts[0].rows.dimension
            raise ValueError(f"The vectors have {dimension} numbers, not {queries.shape[1]}.")
        flags = queries.flags
        return queries if flags.c_contiguous and flags.writeable else queries.copy()
