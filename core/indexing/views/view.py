"""The immutable view of one library that a reader searches without waiting."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
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
from core.indexing.segment.segment import RowIds, Segment
from core.indexing.vectors.vector_index import DEFAULT_PARAMS, SearchParams
from core.indexing.views.ranking import NOTHING, Ranking, merge
from core.indexing.views.runtime import SearchRuntime

next_revision = count().__next__
_first = attrgetter("first")


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The chunks that match a filter, valid only for the view that computed them.

    `rows`: for each segment of the view its matching live rows, numbered within the segment.
    """

    rows: tuple[BitMap, ...]
    count: int

    @classmethod
    def of(cls, rows: tuple[BitMap, ...]) -> "Matches":
        return cls(rows, sum(map(len, rows)))


@dataclass(frozen=True, slots=True, eq=False)
class LibraryView:
    """A library with its documents, chunks and vectors at one position.

    `segments`: ascending by row id, each with at least one live row. All are frozen except perhaps
    the last, the delta, which later views append to. `next_row_id`: the id of the next row to be
    added. `revision`: differs from that of every other view of the process with other live rows.
    `runtime`: given by the catalog that has the view.
    """

    library: Library
    segments: tuple[Segment, ...] = ()
    next_row_id: int = 0
    documents: Map[str, Document] = Map()  # noqa: RUF009  # immutable
    revision: int = field(default_factory=next_revision)
    runtime: SearchRuntime = field(default_factory=SearchRuntime)

    @classmethod
    def empty(cls, library: Library) -> "LibraryView":
        return cls(library)

    @property
    def vectors(self) -> int:
        return sum(segment.live for segment in self.segments)

    @property
    def deleted(self) -> int:
        """The number of deleted rows that still occupy space."""
        return sum(segment.deleted for segment in self.segments)

    @property
    def memory_bytes(self) -> int:
        return sum(segment.memory_bytes for segment in self.segments)

    def scanned_bytes(self, *, exact: bool) -> int:
        """Return the bytes of codes that a search without a filter compares one by one."""
        scanned = [segment for segment in self.segments if exact or segment.kind is IndexKind.FLAT]
        return sum(segment.size * segment.rows.dimension for segment in scanned)

    @property
    def delta(self) -> Segment | None:
        """The segment that new rows are appended to; `None` if there is none."""
        return self.segments[-1] if self.segments and not self.segments[-1].frozen else None

    def chunk(self, row_id: int) -> Chunk:
        segment = self._segment(row_id)
        return segment.rows.chunks[segment.row_of(row_id)]

    def chunks_of(self, row_ids: RowIds) -> list[Chunk]:
        """Return the chunks in the order of the row ids."""
        if len(self.segments) != 1:
            return [self.chunk(row_id) for row_id in row_ids.tolist()]
        [segment] = self.segments
        return segment.chunks_at(segment.rows_of(row_ids).tolist())

    def document(self, row_id: int) -> Document:
        return self.documents[self.chunk(row_id).document_id]

    def embedding(self, row_id: int) -> Embedding:
        segment = self._segment(row_id)
        return segment.rows.embedding(segment.row_of(row_id))

    def row_ids_of(self, ids: Sequence[str]) -> dict[str, int]:
        """Return the row ids of those chunk ids that exist. O(segments · log n) each."""
        row_ids: dict[str, int] = {}
        wanted = Ids(ids)
        for segment in self.segments:
            for id_, row in zip(ids, segment.rows_with(wanted), strict=True):
                if row is not None:
                    row_ids[id_] = segment.row_id_of(row)
        return row_ids

    def _segment(self, row_id: int) -> Segment:
        segments = self.segments
        return segments[0 if len(segments) == 1 else bisect_right(segments, row_id, key=_first) - 1]

    def matching(self, filter_: Filter | None) -> Matches:
        """Return the chunks that match a filter; without a filter, all chunks.

        O(i log i) for a filter that names i ids; else the cost of `core.indexing.attributes` in
        sealed segments, and O(n) in the others.
        """
        if filter_ is None:
            return Matches.of(tuple(segment.live_rows() for segment in self.segments))
        ids = ids_named_by(filter_)
        documents = self.documents
        if ids is not None:
            pairs = zip(self.segments, self._rows_of(ids), strict=True)
            return Matches.of(
                tuple(segment.test_rows(filter_, documents, rows) for segment, rows in pairs)
            )
        return Matches.of(tuple(segment.matching(filter_, documents) for segment in self.segments))

    def unknown_fields(self, filter_: Filter) -> list[str]:
        """Return the paths of the filter's fields that have no value in any chunk.

        An empty library has no unknown fields.
        """
        fields = {} if not self.segments else dict.fromkeys(fields_of(filter_))
        return sorted(field.path for field in fields if not self._has_field(field))

    def _has_field(self, field: Field) -> bool:
        if field.scope is Scope.CHUNK:
            return True
        return any(segment.has_field(field, self.documents) for segment in self.segments)

    def _rows_of(self, ids: Iterable[str]) -> tuple[BitMap, ...]:
        wanted = Ids(list(ids))
        return tuple(
            BitMap([row for row in segment.rows_with(wanted) if row is not None])
            for segment in self.segments
        )

    def chunks(self, matches: Matches) -> Iterator[Chunk]:
        """Yield the matching chunks in the order of insertion."""
        for segment, rows in zip(self.segments, matches.rows, strict=True):
            yield from map(segment.rows.chunks.__getitem__, rows)

    def row_ids(self, matches: Matches) -> RowIds:
        """Return the row ids of the matches, `(count,) int64`, ascending."""
        of_segments = [
            segment.row_ids_of(bitmaps.to_rows(rows).astype(np.intp))
            for segment, rows in zip(self.segments, matches.rows, strict=True)
        ]
        return np.concatenate([np.empty(0, np.int64), *of_segments])

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        matches: Matches | None = None,
        params: SearchParams = DEFAULT_PARAMS,
    ) -> list[Ranking]:
        """Return the `min(k, matches)` nearest chunks for each query, ties in order of chunk id.

        `queries`: `(q, d) float32`, of the library's dimension. `matches`: the chunks to choose
        from; all if `None`.
        """
        if not self.segments:
            return [NOTHING for _ in queries]
        self.runtime.activity.record()
        queries = self._to_kernel_input(queries)
        params, delta = params.or_else(self.library.index.parameters), self.runtime.delta
        if matches is None:
            segments = self.segments
            of_segments = [segment.search(queries, k, params, None, delta) for segment in segments]
        else:
            chosen = [(p, r) for p, r in zip(self.segments, matches.rows, strict=True) if r]
            segments = tuple(segment for segment, _ in chosen)
            of_segments = [
                segment.search(queries, k, params, rows, delta) for segment, rows in chosen
            ]
        if not segments:
            return [NOTHING for _ in queries]
        return [merge(segments, of_query, k) for of_query in zip(*of_segments, strict=True)]

    def _to_kernel_input(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the queries C-contiguous and writeable, copied if they are not.

        Raises:
            ValueError: the dimension differs from the library's; a kernel would read out of bounds.
        """
        if queries.shape[1] != self.segments[0].rows.dimension:
            dimension = self.segments[0].rows.dimension
            raise ValueError(f"A query has {dimension} dimensions, not {queries.shape[1]}.")
        flags = queries.flags
        return queries if flags.c_contiguous and flags.writeable else queries.copy()
