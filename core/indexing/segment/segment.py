"""A segment of a library's rows: sealed with an index, or the delta that waits for one."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from immutables import Map
from numpy.typing import NDArray
from pyroaring import BitMap

from core.domain.document import Chunk, Document
from core.domain.filters import Condition, Field, Filter, Op, compile_filter
from core.domain.library import IndexKind, IndexSpec
from core.indexing.attributes import AttributeIndex, bitmaps
from core.indexing.columns.chunks import Ids
from core.indexing.segment.delta_search import DeltaSearch
from core.indexing.segment.rows import Rows
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.metric import FORMS
from core.indexing.vectors.vector_index import SearchParams, SegmentHits, VectorIndex

RowIds = NDArray[np.int64]

_FEW = 8
"""The number of rows with a value that are tested for a live one."""

_STALE_SHARE = 1 / 16
"""The share of a segment's documents from which, once stale, document columns are rebuilt."""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """An immutable segment; everything it refers to is immutable up to `size`.

    Each row of a library has a row id. Row ids grow with every added row and are never reused, so
    that a row keeps its row id when a merge moves the row to another segment.

    `rows_by_id`: in the delta, the newest row of each chunk id; a sealed segment has columns for
    it. `first`: the row id of the first row. `row_ids`: `(size,) int64`, ascending; `None` where
    they are `first`, `first + 1`, … `alive`: `(size or more,) bool`, false for deleted rows; `live`
    counts the others. `frozen`: takes no more rows. `index`: `None` if none is built, and
    `built_for` is the specification it was built for. `attributes`: the segment's attribute index.
    `stale`: the ids of documents that changed since the attribute index was built.
    """

    rows: Rows
    size: int
    first: int
    alive: NDArray[np.bool_]
    live: int
    row_ids: RowIds | None = None
    frozen: bool = False
    index: VectorIndex | None = None
    built_for: IndexSpec | None = None
    attributes: AttributeIndex | None = None
    stale: Set[str] = frozenset()
    rows_by_id: Map[str, int] = Map()  # noqa: RUF009  # immutable

    @classmethod
    def empty(cls, rows: Rows, first: int) -> "Segment":
        return cls(rows, size=0, first=first, alive=np.ones(rows.capacity, np.bool_), live=0)

    @property
    def kind(self) -> IndexKind:
        return IndexKind.FLAT if self.index is None else self.index.kind

    @property
    def deleted(self) -> int:
        return self.size - self.live

    @property
    def memory_bytes(self) -> int:
        row_ids = 0 if self.row_ids is None else self.row_ids.nbytes
        index = 0 if self.index is None else self.index.memory_bytes
        attributes = 0 if self.attributes is None else self.attributes.memory_bytes
        return self.rows.memory_bytes + self.alive.nbytes + row_ids + index + attributes

    @property
    def vectors(self) -> Vectors:
        rows, size = self.rows, self.size
        return Vectors(rows.metric, rows.matrix[:size], rows.norms[:size])

    def row_of(self, row_id: int) -> int:
        """Return the row of a row id that the segment has."""
        if self.row_ids is None:
            return row_id - self.first
        return int(np.searchsorted(self.row_ids, row_id))

    def row_id_of(self, row: int) -> int:
        return self.first + row if self.row_ids is None else int(self.row_ids[row])

    def rows_of(self, row_ids: RowIds) -> NDArray[np.intp]:
        if self.row_ids is None:
            return (row_ids - self.first).astype(np.intp)
        return np.searchsorted(self.row_ids, row_ids)

    def row_ids_of(self, rows: NDArray[np.intp]) -> RowIds:
        return rows + self.first if self.row_ids is None else self.row_ids[rows]

    def rows_with(self, wanted: Ids) -> list[int | None]:
        """Return the live row of each chunk id, `None` for ids without one."""
        chunks = self.rows.chunks
        if isinstance(chunks, list):
            rows = [self.rows_by_id.get(id_) for id_ in wanted.ids]
        else:
            rows = chunks.rows_of(wanted)
        alive = self.alive
        return [None if row is None or not alive[row] else row for row in rows]

    def chunks_at(self, rows: Sequence[int]) -> list[Chunk]:
        chunks = self.rows.chunks
        return [chunks[row] for row in rows] if isinstance(chunks, list) else chunks.at(rows)

    def live_rows(self) -> BitMap:
        if not self.deleted:
            return bitmaps.full(self.size)
        return bitmaps.from_mask(self.alive[: self.size])

    def matching(self, filter_: Filter, documents: Mapping[str, Document]) -> BitMap:
        """Return the live rows that match a filter; without an attribute index, O(size)."""
        if self.attributes is None:
            return self.test_rows(filter_, documents, self.live_rows())
        return self.attributes.matching(
            filter_, documents, stale=self.stale, within=self.live_rows()
        )

    def test_rows(self, filter_: Filter, documents: Mapping[str, Document], rows: BitMap) -> BitMap:
        """Test the given live rows one by one, and return those that match the filter."""
        matches, chunks = compile_filter(filter_), self.rows.chunks
        return BitMap(
            [row for row in rows if matches(chunk := chunks[row], documents[chunk.document_id])]
        )

    def has_field(self, field: Field, documents: Mapping[str, Document]) -> bool:
        """Return whether a live row has a value in the field.

        O(1) where one of the first rows with a value is alive; without an attribute index, O(size)
        if no row has a value.
        """
        exists = Condition(field, Op.EXISTS, True)
        if self.attributes is not None:
            # Each search asks this for every field of its filter, and the field nearly always
            # exists.
            column = None if self.stale else self.attributes.column(field)
            if column is not None and any(self.alive[row] for row in islice(column.present, _FEW)):
                return True
            return bool(self.matching(exists, documents))
        has, chunks = compile_filter(exists), self.rows.chunks
        rows = self.live_rows()
        return any(has(chunk := chunks[row], documents[chunk.document_id]) for row in rows)

    def with_documents(self, changed: Set[str], documents: Map[str, Document]) -> "Segment":
        """Return the segment after documents have changed to what `documents` has."""
        if self.attributes is None or not (
            mine := {id_ for id_ in changed if self.attributes.has_document(id_)}
        ):
            return self
        stale = self.stale | mine
        if len(stale) <= _STALE_SHARE * self.attributes.documents:
            return replace(self, stale=stale)
        return replace(
            self, attributes=self.attributes.with_documents(documents), stale=frozenset()
        )

    def without(self, rows: NDArray[np.intp]) -> "Segment":
        """Mark the given live rows as deleted."""
        alive = self.alive.copy()
        alive[rows] = False
        return replace(self, alive=alive, live=self.live - len(rows))

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        params: SearchParams,
        matches: BitMap | None,
        delta: DeltaSearch,
    ) -> list[SegmentHits]:
        """Search the live rows, or the live rows in `matches`, which must not be empty.

        `queries`: `(q, d) float32`. `matches`: the rows to choose from; all live rows if `None`.
        `delta`: scans the rows if the segment has no index.
        """
        allowed = self._allowed(matches)
        if self.index is None:
            hits = delta.search(self.vectors, self.rows.codes, queries, k, allowed)
        else:
            hits = self.index.search(queries, k, params, allowed)
        correction = FORMS[self.rows.metric].correction
        if correction is None:
            return hits
        return [replace(of_query, scores=correction(of_query.scores)) for of_query in hits]

    def _allowed(self, matches: BitMap | None) -> NDArray[np.bool_] | None:
        if matches is None or len(matches) == self.live:
            return self.alive[: self.size] if self.deleted else None
        return bitmaps.to_mask(matches, self.size)
