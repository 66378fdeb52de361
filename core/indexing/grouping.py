"""Search for documents: each by the best of its chunks."""

from dataclasses import replace

import numpy as np

from core.domain.document import Embedding
from core.indexing.ranking import Ranking
from core.indexing.vector_index import DEFAULT_EFFORT, Effort
from core.indexing.view import LibraryView, Matches

_WIDENING = 4


def best_per_document(
    view: LibraryView,
    query: Embedding,
    k: int,
    *,
    matches: Matches | None = None,
    effort: Effort = DEFAULT_EFFORT,
) -> Ranking:
    """The nearest chunk of each document, for the `k` documents where it is nearest.

    Looks at more and more chunks, until these are of `k` documents or there are no more.
    """
    total = view.vectors if matches is None else matches.count
    width = k
    while True:
        width = min(_WIDENING * width, total)
        [ranking] = view.search(query[np.newaxis], width, matches=matches, effort=effort)
        first: dict[str, int] = {}
        for place, serial in enumerate(ranking.serials.tolist()):
            first.setdefault(view.chunk(serial).document_id, place)
        if len(first) >= k or width == total:
            places = list(first.values())[:k]
            return replace(ranking, serials=ranking.serials[places], scores=ranking.scores[places])
