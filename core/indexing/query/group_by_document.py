"""Search for documents: each by the best of its chunks."""

from collections.abc import Callable
from dataclasses import replace

from core.indexing.views.ranking import Ranking
from core.indexing.views.view import LibraryView

_WIDENING = 4


def best_per_document(
    view: LibraryView, best: Callable[[int], Ranking], k: int, *, total: int
) -> Ranking:
    """The best chunk of each document, for the `k` documents where it is best.

    `best`: the given number of chunks, at most `total`, or fewer if there are no more. It is
    asked for more and more, until these are of `k` documents or there are no more.
    """
    width = k
    while True:
        width = min(_WIDENING * width, total)
        ranking = best(width)
        first: dict[str, int] = {}
        for place, row_id in enumerate(ranking.row_ids.tolist()):
            first.setdefault(view.chunk(row_id).document_id, place)
        if len(first) >= k or len(ranking.row_ids) < width or width == total:
            places = list(first.values())[:k]
            return replace(ranking, row_ids=ranking.row_ids[places], scores=ranking.scores[places])
