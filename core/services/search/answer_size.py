"""The limit on the size of a search's answer, checked before the search runs.

The check adds up what the hits take at least: their embeddings, and for each hit the fields that it
shows with the shortest id and text of its library. So it refuses no answer that would fit.
"""

from collections.abc import Iterable, Sequence

from core.domain.document import Chunk
from core.domain.errors import Invalid
from core.indexing.columns.chunks import ChunkColumns
from core.indexing.views.view import LibraryView
from core.services.search.ranking import CheckedSearch

MAX_ANSWER_BYTES = 64 * 1024 * 1024

_BYTES_PER_NUMBER = 12
_BYTES_PER_HIT = len('{"chunk_id":"","document_id":"","version":0,"score":0.0},')
_BYTES_OF_FIELDS = {"text": len(',"text":""'), "metadata": len(',"metadata":{}')}
_MANY_HITS = 50_000
"""Hits of a request from which the shortest rows are looked for, which takes milliseconds."""


def check_answer_size(searches: Sequence[CheckedSearch]) -> None:
    """Check that the hits of the searches can fit in one answer.

    Raises:
        Invalid: they cannot; the fault is at the `include` or `k` of the first search over the
            limit.
    """
    many = sum(map(_hits, searches)) >= _MANY_HITS
    shortest: dict[tuple[str, bool], int] = {}
    total = 0
    for search in searches:
        if "embedding" in search.request.include:
            total += _embedding_bytes(search)
            _check(total, f"{search.pointer}/include", "with their embeddings ")
        if many:
            with_text = "text" in search.request.include
            key = (search.view.library.id, with_text)
            if key not in shortest:
                shortest[key] = _shortest_row(search.view, with_text=with_text)
            fields = sum(_BYTES_OF_FIELDS.get(name, 0) for name in set(search.request.include))
            total += _hits(search) * (_BYTES_PER_HIT + fields + shortest[key])
            _check(total, f"{search.pointer}/k")


def _check(total: int, pointer: str, how: str = "") -> None:
    if total > MAX_ANSWER_BYTES:
        raise Invalid.at(
            pointer,
            f"This many hits {how}would take over {total // 2**20} MiB, and an answer has at most "
            f"{MAX_ANSWER_BYTES // 2**20} MiB: ask for fewer hits, fields or searches at once.",
        )


def _embedding_bytes(search: CheckedSearch) -> int:
    hits = min(search.request.k, search.view.vectors)
    return hits * (search.view.library.dimension or 0) * _BYTES_PER_NUMBER


def _hits(search: CheckedSearch) -> int:
    """Return the least number of hits: unknown, so 0, for a search that may have fewer than `k`."""
    request = search.request
    if search.filter is not None or request.group_by or request.mode == "lexical":
        return 0
    return min(request.k, search.view.vectors)


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
