"""The service of search and of listings by filter, each on one state of the catalog."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from time import perf_counter

from core.domain import filters, vectors
from core.domain.document import Document, Embedding
from core.domain.errors import Fault, Invalid, ProviderRejected
from core.indexing.lexical.catch_up import LexicalIndexes
from core.indexing.maintenance.index_status import IndexStatus, index_status
from core.indexing.query.listing import After, ChunkPage, select
from core.indexing.views.catalog import Catalog, CatalogState
from core.indexing.views.view import Matches
from core.providers.base import Embedder
from core.services.background.recall_monitor import RecallMonitor
from core.services.positioned import Positioned
from core.services.search.ranking import CheckedSearch, RankedSearch, Ranker
from core.services.search.request import SearchRequest
from core.services.search.result import Hit, Plan, SearchResult
from core.services.search.result_size import ResultSize

__all__ = ["Hit", "Plan", "SearchRequest", "SearchResult", "SearchService"]

# Measured on one core of a small server, and rounded up.
_US_PER_SEARCH = 50.0
_US_PER_HIT = 2.0
_US_PER_FILTERED_CHUNK = 0.5
_US_PER_BYTE = 1 / 20_000

_NONE = repeat(None)


class SearchService:
    """The operations of search and listings.

    `embedders`: blocking, by the name of the model. `recall_monitor`: measures recall once started.
    `index_error`: returns why a library's index could not be built, by the library's id.
    `lexical`: the lexical indexes; `None` keeps them in memory.
    """

    def __init__(
        self,
        catalog: Catalog,
        embedders: Mapping[str, Embedder],
        *,
        min_position_wait_s: float,
        recall_monitor: RecallMonitor | None = None,
        index_error: Callable[[str], str | None] = lambda _: None,
        lexical: LexicalIndexes | None = None,
    ) -> None:
        self._catalog = catalog
        self._embedders = embedders
        self._lexical = lexical or LexicalIndexes(catalog)
        self._recall_monitor = recall_monitor or RecallMonitor()
        self._ranker = Ranker(self._recall_monitor)
        self._min_position_wait_s = min_position_wait_s
        self._index_error = index_error

    def estimate_us(self, request: SearchRequest) -> float:
        """Estimate the time of `search` in µs, to decide whether to run it on the event loop.

        Infinite for a search that may wait for a model or for a position.
        """
        state = self._catalog.state
        if (
            request.mode != "vector"
            or request.embedding is None
            or request.min_position > state.position
        ):
            return math.inf
        view = state.find(request.library)
        if view is None:
            return _US_PER_SEARCH
        scan = view.scanned_bytes(exact=request.exact) * _US_PER_BYTE
        filtering = view.vectors * _US_PER_FILTERED_CHUNK if request.filter is not None else 0.0
        return _US_PER_SEARCH + scan + filtering + request.k * _US_PER_HIT

    def search(self, request: SearchRequest) -> SearchResult:
        """Search once.

        Raises:
            NotFound, Invalid, Behind, ProviderError.
        """
        if request.mode != "vector" or request.embedding is None or "embedding" in request.include:
            return self._search_all([request], [""])[0]
        # As `_search_all`, without what only several searches or large results need.
        started = perf_counter()
        state = self._state(request.min_position)
        search = _check(state, request, "")
        hits, plan = _to_hits(search, self._ranker.rank_one(search, request.embedding))
        return SearchResult(hits, plan, state.position, (perf_counter() - started) * 1e3)

    def search_many(self, requests: Sequence[SearchRequest]) -> list[SearchResult]:
        """Run all searches on the same state, all or none; faults point to `/searches/i`.

        Raises:
            NotFound, Invalid, Behind, ProviderError.
        """
        return self._search_all(requests, [f"/searches/{i}" for i in range(len(requests))])

    def page(
        self,
        ref: str,
        *,
        filter: object | None = None,
        order_by: str | None = None,
        after: After | None = None,
        limit: int,
        min_position: int = 0,
    ) -> Positioned[ChunkPage]:
        """Return a page of the chunks that match, in order of id or of `order_by`.

        Raises:
            NotFound, Behind.
            Invalid: `filter` or `order_by` breaks a rule.
        """
        state = self._state(min_position)
        view = state.library(ref)
        schema = view.library.metadata_schema
        parsed = None if filter is None else filters.parse(filter, schema)
        order = None if order_by is None else filters.parse_order(order_by, schema)
        return Positioned(select(view, parsed, order, after=after, limit=limit), state.position)

    def index(self, ref: str, *, min_position: int = 0) -> Positioned[IndexStatus]:
        """Return the status of a library's index.

        Raises:
            NotFound, Behind.
        """
        state = self._state(min_position)
        view = state.library(ref)
        id_ = view.library.id
        status = index_status(
            view,
            error=self._index_error(id_),
            lexical_memory_bytes=self._lexical.size_bytes(id_),
            recall=self._recall_monitor.recall(view.library),
        )
        return Positioned(status, state.position)

    def _state(self, min_position: int) -> CatalogState:
        self._catalog.wait_for(min_position, self._min_position_wait_s)
        return self._catalog.state

    def _search_all(
        self, requests: Sequence[SearchRequest], pointers: Sequence[str]
    ) -> list[SearchResult]:
        started = perf_counter()
        state = self._state(max((request.min_position for request in requests), default=0))
        searches = _check_all(state, requests, pointers)
        if any(search.request.mode != "vector" for search in searches):
            state, searches = self._check_with_readers(requests, pointers)
        results = []
        size = ResultSize(searches)
        rankings = self._ranker.rank(searches, self._queries(searches), size.add)
        for search, of_search in zip(searches, rankings, strict=True):
            hits, plan = _to_hits(search, of_search)
            took_ms = (perf_counter() - started) * 1e3
            results.append(SearchResult(hits, plan, state.position, took_ms))
        return results

    def _check_with_readers(
        self, requests: Sequence[SearchRequest], pointers: Sequence[str]
    ) -> tuple[CatalogState, list[CheckedSearch]]:
        """Check all searches again, on a state that the lexical indexes have reached."""
        refs = {request.library for request in requests if request.mode != "vector"}
        state, readers = self._lexical.catch_up(refs)
        return state, [
            search
            if search.request.mode == "vector"
            else replace(search, reader=readers[search.view.library.id])
            for search in _check_all(state, requests, pointers)
        ]

    def _queries(self, searches: Sequence[CheckedSearch]) -> list[Embedding | None]:
        """Return each search's query vector or `None`; embed all texts of a model in one call."""
        queries = [search.request.embedding for search in searches]
        by_model = defaultdict(list)
        for i, search in enumerate(searches):
            if _needs_model(search):
                by_model[search.view.library.embedding_model].append(i)
        for model, places in by_model.items():
            texts = [searches[i].request.text or "" for i in places]
            for i, row in zip(places, self._embedder(model).embed(texts, "query"), strict=True):
                _check_vector(searches[i], row, "/text")
                queries[i] = row
        return queries

    def _embedder(self, model: str | None) -> Embedder:
        embedder = self._embedders.get(model or "")
        if embedder is None:
            raise ProviderRejected(f"This server has no model {model!r}, which the library needs.")
        return embedder


def _check_all(
    state: CatalogState, requests: Sequence[SearchRequest], pointers: Sequence[str]
) -> list[CheckedSearch]:
    searches: list[CheckedSearch] = []
    faults: list[Fault] = []
    for request, pointer in zip(requests, pointers, strict=True):
        try:
            searches.append(_check(state, request, pointer))
        except Invalid as invalid:
            faults.extend(invalid.faults)
    if faults:
        raise Invalid(faults)
    return searches


def _check(state: CatalogState, request: SearchRequest, pointer: str) -> CheckedSearch:
    request.check(pointer)
    view = state.library(request.library)
    schema = view.library.metadata_schema
    parsed = None
    if request.filter is not None:
        parsed = filters.parse(request.filter, schema, f"{pointer}/filter")
    search = CheckedSearch(request, pointer, view, parsed)
    _check_model(search)
    if request.embedding is not None:
        _check_vector(search, request.embedding, "/embedding")
    elif _needs_model(search) and view.library.embedding_model is None:
        detail = "This library has no model, its vectors are the client's own: give an embedding."
        place = "embedding" if request.mode == "hybrid" else "text"
        raise Invalid.at(f"{pointer}/{place}", detail)
    return search


def _check_model(search: CheckedSearch) -> None:
    """Check that the library has the model of the query's embedding, which a change may replace.

    Raises:
        Invalid: the library has vectors of another model.
    """
    model, view = search.request.embedding_model, search.view
    if model is not None and view.vectors and model != view.library.embedding_model:
        detail = f"The library's model is {view.library.embedding_model!r}, and not {model!r}."
        raise Invalid.at(f"{search.pointer}/embedding_model", detail)


def _needs_model(search: CheckedSearch) -> bool:
    request = search.request
    return request.mode != "lexical" and request.embedding is None and search.view.vectors > 0


def _check_vector(search: CheckedSearch, embedding: Embedding, place: str) -> None:
    library = search.view.library
    vectors.check(
        embedding,
        dimension=library.dimension,
        metric=library.metric,
        pointer=search.pointer + place,
    )


def _to_hits(search: CheckedSearch, rankings: RankedSearch) -> tuple[list[Hit], Plan]:
    request, view, ranking = search.request, search.view, rankings.ranking
    scores = ranking.scores.tolist()
    chunks = view.chunks_of(ranking.row_ids)
    documents: Iterable[Document | None] = _NONE
    embeddings: Iterable[Embedding | None] = _NONE
    if "document" in request.include:
        documents = (view.documents[chunk.document_id] for chunk in chunks)
    if "embedding" in request.include:
        embeddings = map(view.embedding, ranking.row_ids.tolist())
    # The placeholders are infinite, so the lengths differ.
    hits = list(map(Hit, chunks, scores, documents, embeddings))
    matches = rankings.matches
    return hits, Plan(
        index=ranking.index if request.mode == "vector" else request.mode,
        filter=_filter_plan(ranking.strategy, matches),
        matches=None if matches is None else matches.count,
        exact=ranking.exact,
        unknown_fields=() if search.filter is None else tuple(view.unknown_fields(search.filter)),
    )


def _filter_plan(strategy: str, matches: Matches | None) -> str:
    """Return the plan's filter strategy; an index reports `none` if all chunks pass the filter."""
    if matches is None:
        return "none"
    return "checked" if strategy == "none" else strategy
