"""Search for documents: each by the best of its chunks."""

import numpy as np

from core.domain.document import Embedding
from core.indexing.exact import Ranking, RowNumbers
from core.indexing.view import LibraryView

_WIDENING = 4


def best_per_document(
    view: LibraryView, query: Embedding, k: int, allowed: RowNumbers | None = None
) -> Ranking:
    """The nearest chunk of each document, for the `k` documents where it is nearest.

    Looks at more and more chunks, until these are of `k` documents or there are no more.
    """
    total = view.vectors if allowed is None else len(allowed)
    width = k
    while True:
        width = min(_WIDENING * width, total)
        [ranking] = view.search(query[np.newaxis], width, allowed)
        first: dict[str, int] = {}
        for place, row in enumerate(ranking.rows.tolist()):
            first.setdefault(view.chunk(row).document_id, place)
        if len(first) >= k or width == total:
            places = list(first.values())[:k]
            return Ranking(ranking.rows[places], ranking.scores[places])
