"""Search for documents, each ranked by its best chunk."""

from collections.abc import Callable
from dataclasses import replace

from core.indexing.views.ranking import Ranking
from core.indexing.views.view import LibraryView

_WIDENING = 4


def best_per_document(
    view: LibraryView, best: Callable[[int], Ranking], k: int, *, total: int
) -> Ranking:
    """Return the best chunk of each of the `k` best documents.

    `best`: returns the given number of best chunks, at most `total`, fewer if no more match. It is
    called with growing numbers until the chunks come from `k` documents or no more chunks match.
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
