"""The limit on the size of a search's result, checked before the search runs or its hits are built.

The check adds up the least size of the hits: their embeddings, and for each hit its fields with the
shortest id and text of its library. So no result that would fit is refused.
"""

from collections.abc import Iterable, Sequence

from core.domain.document import Chunk
from core.domain.errors import Invalid
from core.indexing.columns.chunks import ChunkColumns
from core.indexing.views.view import LibraryView
from core.services.search.ranking import CheckedSearch

MAX_RESULT_BYTES = 64 * 1024 * 1024

_BYTES_PER_NUMBER = 12
_BYTES_PER_HIT = len('{"chunk_id":"","document_id":"","version":0,"score":0.0},')
_BYTES_OF_FIELDS = {"text": len(',"text":""'), "metadata": len(',"metadata":{}')}
_MANY_HITS = 50_000
"""The number of hits from which the check reads the shortest row, which takes milliseconds."""


class ResultSize:
    """The bytes that the hits of some searches take at least, while their numbers become known.

    The number of hits is known before a vector or hybrid search, and after a lexical or grouped
    one. Filters are evaluated only if the result would be too large with all chunks passing them.
    """

    def __init__(self, searches: Sequence[CheckedSearch]) -> None:
        """Check the searches whose numbers of hits are known.

        Raises:
            Invalid: they cannot fit in one response; the fault is at the `include` or `k` of the
                first search over the limit.
        """
        self._shortest: dict[tuple[str, bool], int] = {}
        self._has_many = sum(map(_most_hits, searches)) >= _MANY_HITS
        self._total = 0
        most = sum(sum(self._bytes(search, _most_hits(search))) for search in searches)
        self._may_exceed = most > MAX_RESULT_BYTES
        if self._may_exceed:
            for search in searches:
                if (hits := _known_hits(search)) is not None:
                    self._add(search, hits)

    def add(self, search: CheckedSearch, hits: int) -> None:
        """Count the hits of a search that has been done, unless they were known before.

        Raises:
            Invalid: as above.
        """
        if self._may_exceed and not _has_known_hits(search):
            self._add(search, hits)

    def _add(self, search: CheckedSearch, hits: int) -> None:
        of_embeddings, of_fields = self._bytes(search, hits)
        self._total += of_embeddings
        _check(self._total, f"{search.pointer}/include", "with their embeddings ")
        self._total += of_fields
        _check(self._total, f"{search.pointer}/k")

    def _bytes(self, search: CheckedSearch, hits: int) -> tuple[int, int]:
        """Return the bytes of the embeddings and of all else in a number of hits."""
        view, include = search.view, set(search.request.include)
        numbers = (view.library.dimension or 0) if "embedding" in include else 0
        if not self._has_many:
            return hits * numbers * _BYTES_PER_NUMBER, 0
        key = (view.library.id, "text" in include)
        if key not in self._shortest:
            self._shortest[key] = _shortest_row(view, with_text=key[1])
        fields = sum(_BYTES_OF_FIELDS.get(name, 0) for name in include)
        per_hit = _BYTES_PER_HIT + fields + self._shortest[key]
        return hits * numbers * _BYTES_PER_NUMBER, hits * per_hit


def _check(total: int, pointer: str, how: str = "") -> None:
    if total > MAX_RESULT_BYTES:
        raise Invalid.at(
            pointer,
            f"These hits {how}would take over {total // 2**20} MiB; a response has at most "
            f"{MAX_RESULT_BYTES // 2**20} MiB. Ask for fewer hits, fields or searches at once.",
        )


def _most_hits(search: CheckedSearch) -> int:
    return min(search.request.k, search.view.vectors)


def _has_known_hits(search: CheckedSearch) -> bool:
    return not search.request.group_by and search.request.mode != "lexical"


def _known_hits(search: CheckedSearch) -> int | None:
    """Return the number of hits, `None` for a search that has to be done to know it."""
    if not _has_known_hits(search):
        return None
    if search.filter is None:
        return _most_hits(search)
    return min(search.request.k, search.view.matching(search.filter).count)


def _shortest_row(view: LibraryView, *, with_text: bool) -> int:
    """Return the bytes of the shortest ids, and of the shortest text, of a library's rows."""
    rows = [segment.rows.chunks for segment in view.segments]
    return min((_shortest(chunks, with_text=with_text) for chunks in rows if chunks), default=0)


def _shortest(chunks: ChunkColumns | list[Chunk], *, with_text: bool) -> int:
    if isinstance(chunks, ChunkColumns):
        columns = [chunks.ids, chunks.documents, *([chunks.texts] if with_text else [])]
        return sum(int(column.lengths.min()) for column in columns)
    ids = _least(chunk.id for chunk in chunks) + _least(chunk.document_id for chunk in chunks)
    return ids + (_least(chunk.text for chunk in chunks) if with_text else 0)


def _least(strings: Iterable[str]) -> int:
    return min(map(len, strings))
