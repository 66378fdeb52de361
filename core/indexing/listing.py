"""A page of a library's chunks, filtered and in any order, without looking at offsets.

A page begins behind the last chunk of the one before, wherever that now is or was: chunks
that come and go between two pages shift nothing.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from core.domain.document import Chunk
from core.domain.filters import Filter, Order, SortKey
from core.indexing.view import LibraryView


@dataclass(frozen=True, slots=True)
class After:
    """The place of a chunk in a listing: its key in the order, if it has one, and its id."""

    key: SortKey | None
    chunk_id: str

    def to_json(self) -> list[Any]:
        """For a cursor."""
        return [self.key and list(self.key), self.chunk_id]

    @classmethod
    def from_json(cls, parts: list[Any]) -> "After":
        key, chunk_id = parts
        return cls(key and tuple(key), chunk_id)


@dataclass(frozen=True, slots=True)
class ChunkPage:
    """`after` is where the next page begins, `None` at the end."""

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
    """The first `limit` chunks that match, behind `after`; in order of id unless told else.

    Chunks that are equal in the order, or have no place in it, are in order of id.
    O(n log limit), and as much again for those that tie with the last.
    """
    if order is None:
        first = _first_by_id(view, filter_, after, limit + 1)
    else:
        found = _placed(view, filter_, order)
        if after is not None:
            found = [place for place in found if _is_behind(place, after, order.descending)]
        first = _first(found, limit + 1, order.descending)
    last = first[limit - 1] if len(first) > limit else None
    return ChunkPage(
        chunks=[place.chunk for place in first[:limit]],
        after=After(last.key, last.chunk_id) if last else None,
    )


def _first_by_id(
    view: LibraryView, filter_: Filter | None, after: After | None, count: int
) -> list[_Placed]:
    chunks = view.chunks(view.matching(filter_))
    behind = (chunk for chunk in chunks if after is None or chunk.id > after.chunk_id)
    first = heapq.nsmallest(count, behind, key=attrgetter("id"))
    return [_Placed(None, chunk.id, chunk) for chunk in first]


def _placed(view: LibraryView, filter_: Filter | None, order: Order) -> list[_Placed]:
    key_of, documents = order.keys(), view.documents
    chunks = view.chunks(view.matching(filter_))
    return [_Placed(key_of(c, documents[c.document_id]), c.id, c) for c in chunks]


def _is_behind(place: _Placed, after: After, descending: bool) -> bool:
    if place.key == after.key:
        return place.chunk_id > after.chunk_id
    if place.key is None or after.key is None:
        return place.key is None
    return place.key < after.key if descending else place.key > after.key


def _first(found: list[_Placed], count: int, descending: bool) -> list[_Placed]:
    keyed = [(place.key, place) for place in found if place.key is not None]
    unkeyed = [place for place in found if place.key is None]
    last = heapq.nsmallest(count, unkeyed, key=attrgetter("chunk_id"))
    return (_first_keyed(keyed, count, descending) + last)[:count]


def _first_keyed(
    keyed: list[tuple[SortKey, _Placed]], count: int, descending: bool
) -> list[_Placed]:
    # Ids break ties, so what ties with the last of them is sorted as well, and no more.
    if descending:
        ends = heapq.nlargest(count, (key for key, _ in keyed))
        kept = [item for item in keyed if item[0] >= ends[-1]]
    else:
        ends = heapq.nsmallest(count, (key for key, _ in keyed))
        kept = [item for item in keyed if item[0] <= ends[-1]]
    kept.sort(key=lambda item: item[1].chunk_id)
    # A reversed sort leaves equals as they are: in order of id.
    kept.sort(key=itemgetter(0), reverse=descending)
    return [place for _, place in kept]
