"""Pages of a library's chunks, filtered and in any order, by key instead of by offset.

A page begins behind the last chunk of the previous page, even if that chunk has since moved or was
deleted. So chunks added or deleted between two pages shift nothing.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from pyroaring import BitMap

from core.domain.document import Chunk, Document
from core.domain.filters import Filter, KeyFunction, Order, SortKey
from core.indexing.attributes import OF_DOCUMENTS
from core.indexing.segment.segment import Segment
from core.indexing.views.view import LibraryView

_FEW = 256
"""Up to this many rows, sorting takes no longer than walking an index of the whole order."""


@dataclass(frozen=True, slots=True)
class After:
    """The place of a chunk in a listing: its sort key, if it has one, and its id."""

    key: SortKey | None
    chunk_id: str

    def to_json(self) -> list[Any]:
        """Return the place as JSON for a cursor."""
        return [self.key and list(self.key), self.chunk_id]

    @classmethod
    def from_json(cls, pair: list[Any]) -> "After":
        key, chunk_id = pair
        return cls(key and tuple(key), chunk_id)


@dataclass(frozen=True, slots=True)
class ChunkPage:
    """A page of chunks; `after` is where the next page begins, `None` at the end."""

    chunks: Sequence[Chunk]
    after: After | None


class _Placed(NamedTuple):
    key: SortKey | None
    chunk_id: str
    chunk: Chunk


def select(
    view: LibraryView,
    filter_: Filter | None,
    order: Order | None,
    *,
    after: After | None,
    limit: int,
) -> ChunkPage:
    """Return the first `limit` matching chunks behind `after`, in order of id by default.

    Chunks with equal keys, or without a key, are in order of id. A sealed segment has an index of
    the order: O(log n + limit), and one bit for each row. Other segments are sorted.
    """
    listing = _Listing(view, order, after, limit + 1)
    matches = view.matching(filter_)
    places = [
        place
        for segment, rows in zip(view.segments, matches.rows, strict=True)
        if rows
        for place in listing.first_of(segment, rows)
    ]
    first = listing.first(places)
    last = first[limit - 1] if len(first) > limit else None
    return ChunkPage(
        chunks=[place.chunk for place in first[:limit]],
        after=After(last.key, last.chunk_id) if last else None,
    )


class _Listing:
    """A listing of the first `count` chunks behind a place in an order."""

    def __init__(
        self, view: LibraryView, order: Order | None, after: After | None, count: int
    ) -> None:
        self._documents = view.documents
        self._order = order
        self._key_of: KeyFunction = order.keys() if order else lambda _, __: None
        self._descending = order is not None and order.descending
        self._after = after
        self._count = count

    def first_of(self, segment: Segment, rows: BitMap) -> list[_Placed]:
        """Return the first chunks among a segment's live `rows`, in no order."""
        index = segment.attributes
        if index is None or len(rows) <= _FEW:
            return self._first_among(segment, rows)
        stale = BitMap()
        if segment.stale and self._order and self._order.field.scope in OF_DOCUMENTS:
            stale = index.rows_of_documents(segment.stale) & rows
        is_behind = self._is_behind if self._after else None
        first = index.first(self._order, rows - stale, self._count, is_behind)
        if first is None:
            return self._first_among(segment, rows)
        return self._places(segment, first) + self._first_among(segment, stale)

    def first(self, places: list[_Placed]) -> list[_Placed]:
        """Return the first chunks in order."""
        return _first(places, self._count, self._descending)

    def _first_among(self, segment: Segment, rows: BitMap) -> list[_Placed]:
        if self._order is None:
            return self._first_by_id(segment, rows)
        places = self._places(segment, rows)
        if self._after is not None:
            after, descending = self._after, self._descending
            places = [place for place in places if _is_behind(place, after, descending)]
        return self.first(places)

    def _first_by_id(self, segment: Segment, rows: BitMap) -> list[_Placed]:
        chunks = [segment.rows.chunks[row] for row in rows]
        if self._after is not None:
            chunks = [chunk for chunk in chunks if chunk.id > self._after.chunk_id]
        first = heapq.nsmallest(self._count, chunks, key=attrgetter("id"))
        return [_Placed(None, chunk.id, chunk) for chunk in first]

    def _places(self, segment: Segment, rows: Iterable[int]) -> list[_Placed]:
        chunks, documents, key_of = segment.rows.chunks, self._documents, self._key_of
        return [
            _Placed(key_of(chunk, documents[chunk.document_id]), chunk.id, chunk)
            for chunk in map(chunks.__getitem__, rows)
        ]

    def _is_behind(self, chunk: Chunk, document: Document) -> bool:
        assert self._after is not None
        place = _Placed(self._key_of(chunk, document), chunk.id, chunk)
        return _is_behind(place, self._after, self._descending)


def _is_behind(place: _Placed, after: After, descending: bool) -> bool:
    if place.key == after.key:
        return place.chunk_id > after.chunk_id
    if place.key is None or after.key is None:
        return place.key is None
    return place.key < after.key if descending else place.key > after.key


def _first(places: list[_Placed], count: int, descending: bool) -> list[_Placed]:
    keyed = [(place.key, place) for place in places if place.key is not None]
    unkeyed = [place for place in places if place.key is None]
    last = heapq.nsmallest(count, unkeyed, key=attrgetter("chunk_id"))
    return (_first_keyed(keyed, count, descending) + last)[:count]


def _first_keyed(
    keyed: list[tuple[SortKey, _Placed]], count: int, descending: bool
) -> list[_Placed]:
    # Ids break ties, so only chunks up to the last key, with all its ties, are sorted.
    if descending:
        ends = heapq.nlargest(count, (key for key, _ in keyed))
        page = [item for item in keyed if item[0] >= ends[-1]]
    else:
        ends = heapq.nsmallest(count, (key for key, _ in keyed))
        page = [item for item in keyed if item[0] <= ends[-1]]
    page.sort(key=lambda item: item[1].chunk_id)
    # A reversed sort is stable too: equal keys stay in order of id.
    page.sort(key=itemgetter(0), reverse=descending)
    return [place for _, place in page]
