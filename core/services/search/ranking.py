"""Ranks checked searches: vector, lexical and hybrid."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from core.domain.document import Embedding
from core.domain.filters import Filter
from core.indexing.lexical.bm25 import LexicalReader
from core.indexing.query.group_by_document import best_per_document
from core.indexing.query.hybrid import DEFAULT_WEIGHTS, Weights, hybrid, lexical
from core.indexing.vectors.vector_index import SearchParams
from core.indexing.views.ranking import NOTHING, Ranking
from core.indexing.views.view import LibraryView, Matches
from core.services.background.recall_monitor import RecallMonitor, SampledSearch
from core.services.search.request import SearchRequest


@dataclass(frozen=True, slots=True)
class CheckedSearch:
    """A checked request, and the view that answers it.

    `pointer`: the request's place in the input. `reader`: the lexical index of the view's rows,
    for a lexical or hybrid search.
    """

    request: SearchRequest
    pointer: str
    view: LibraryView
    filter: Filter | None
    reader: LexicalReader | None = None


@dataclass(frozen=True, slots=True)
class RankedSearch:
    """A ranking; `matches` are the chunks that pass the filter, `None` without one."""

    ranking: Ranking
    matches: Matches | None


OnRanked: TypeAlias = Callable[[CheckedSearch, int], None]


def _ignore(search: CheckedSearch, hits: int) -> None:
    """Let any number of hits be."""


class Ranker:
    """The ranker of searches; `recall_monitor` measures the recall of approximate ones."""

    def __init__(self, recall_monitor: RecallMonitor) -> None:
        self._recall_monitor = recall_monitor

    def rank(
        self,
        searches: Sequence[CheckedSearch],
        queries: Sequence[Embedding | None],
        on_ranked: OnRanked = _ignore,
    ) -> list[RankedSearch]:
        """Rank the searches; `queries` has the vector of each, `None` for a lexical one.

        Searches that differ only in their vectors run as one block. `on_ranked` is called with each
        search and its number of hits before the next one runs, and may raise.
        """
        ranked: list[RankedSearch | None] = [None] * len(searches)
        for places in _blocks(searches):
            block = [queries[i] for i in places]
            vectors = [query for query in block if query is not None]
            ranked_block: Iterator[RankedSearch]
            if len(vectors) < len(block) or len(block) == 1:
                ranked_block = (self.rank_one(searches[i], queries[i]) for i in places)
            else:
                ranked_block = iter(self._rank_block(searches[places[0]], vectors))
            for i, one in zip(places, ranked_block, strict=True):
                on_ranked(searches[i], len(one.ranking.row_ids))
                ranked[i] = one
        return [one for one in ranked if one is not None]

    def _rank_block(self, first: CheckedSearch, queries: Sequence[Embedding]) -> list[RankedSearch]:
        request, view, params = first.request, first.view, self._params(first)
        rankings = view.search(np.stack(queries), request.k, params=params)
        for query, ranking in zip(queries, rankings, strict=True):
            self._offer_sample(first, query, request.k, None, ranking)
        return [RankedSearch(ranking, None) for ranking in rankings]

    def rank_one(self, search: CheckedSearch, query: Embedding | None) -> RankedSearch:
        request, view = search.request, search.view
        matches = None if search.filter is None else view.matching(search.filter)
        if not view.segments:
            return RankedSearch(NOTHING, matches)
        if not request.group_by:
            return RankedSearch(self._ranking(search, query, request.k, matches), matches)
        total = view.vectors if matches is None else matches.count

        def best(k: int) -> Ranking:
            return self._ranking(search, query, k, matches)

        return RankedSearch(best_per_document(view, best, request.k, total=total), matches)

    def _ranking(
        self, search: CheckedSearch, query: Embedding | None, k: int, matches: Matches | None
    ) -> Ranking:
        view, reader = search.view, search.reader
        text = search.request.text or ""
        if query is None:
            return NOTHING if reader is None else lexical(view, reader, text, k, matches=matches)
        params = self._params(search)
        if reader is None:
            [ranking] = view.search(query[np.newaxis], k, matches=matches, params=params)
            self._offer_sample(search, query, k, matches, ranking)
            return ranking
        weights = _weights(search.request)
        return hybrid(view, reader, text, query, k, weights=weights, matches=matches, params=params)

    def _params(self, search: CheckedSearch) -> SearchParams:
        request = search.request
        boost = self._recall_monitor.boost(search.view.library)
        return SearchParams(request.exact, boost=boost).or_else(request.parameters)

    def _offer_sample(
        self,
        search: CheckedSearch,
        query: Embedding,
        k: int,
        matches: Matches | None,
        ranking: Ranking,
    ) -> None:
        if not ranking.exact and self._recall_monitor.is_due():
            target = _target(search)
            self._recall_monitor.offer(
                SampledSearch(search.view, query, k, matches, ranking, target)
            )


def _target(search: CheckedSearch) -> float | None:
    """Return the target recall, `None` where the request or the library sets `ef` or `nprobe`."""
    params = SearchParams().or_else(search.request.parameters)
    params = params.or_else(search.view.library.index.parameters)
    if params.ef or params.nprobe:
        return None
    return params.recall


def _blocks(searches: Sequence[CheckedSearch]) -> list[list[int]]:
    """Group the indices of searches that may run as one block.

    A block has vector searches without a filter, of one library, with the same `k` and parameters.
    """
    blocks: dict[object, list[int]] = defaultdict(list)
    for i, search in enumerate(searches):
        request = search.request
        alone = search.filter is not None or search.reader is not None or request.group_by
        parameters = frozenset(request.parameters.items())
        shape = (search.view.library.id, request.k, request.exact, parameters)
        blocks[i if alone else shape].append(i)
    return list(blocks.values())


def _weights(request: SearchRequest) -> Weights:
    if request.weights is None:
        return DEFAULT_WEIGHTS
    vector, lexical = request.weights["vector"], request.weights["lexical"]
    return Weights(vector / (vector + lexical), lexical / (vector + lexical))
