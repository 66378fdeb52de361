"""Search: from requests to hits, and listings by filter, each on one state of the catalog."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import NamedTuple

import numpy as np

from core.domain import filters, vectors
from core.domain.document import Chunk, Document, Embedding
from core.domain.errors import Fault, Invalid, ProviderRejected
from core.domain.filters import Filter
from core.indexing.catalog import Catalog, CatalogState
from core.indexing.grouping import best_per_document
from core.indexing.hybrid import DEFAULT_WEIGHTS, Weights, hybrid, lexical
from core.indexing.lexical.bm25 import LexicalReader
from core.indexing.lexical.following import LexicalIndexes
from core.indexing.listing import After, ChunkPage, select
from core.indexing.ranking import NOTHING, Ranking
from core.indexing.status import IndexStatus, index_status
from core.indexing.vector_index import DEFAULT_EFFORT, Effort
from core.indexing.view import LibraryView, Matches
from core.providers.base import Embedder
from core.services.at import At
from core.services.search_request import SearchRequest

__all__ = ["Hit", "Plan", "SearchAnswer", "SearchRequest", "SearchService"]

# Measured on one core of a small server, and rounded up.
_US_PER_SEARCH = 60.0
_US_PER_HIT = 3.0
_US_PER_FILTERED_CHUNK = 0.5
_US_PER_BYTE = 1 / 12_000


class Hit(NamedTuple):
    """`embedding` is there if the request includes it; the answer shows what it includes."""

    chunk: Chunk
    document: Document
    score: float
    embedding: Embedding | None


@dataclass(frozen=True, slots=True)
class Plan:
    """How the hits were found. `matches`: how many chunks the filter left, if there was one."""

    index: str
    filter: str
    matches: int | None
    exact: bool


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """`took_ms` is from when the request came in; in a batch, from when the batch did."""

    hits: Sequence[Hit]
    plan: Plan
    position: int
    took_ms: float


@dataclass(frozen=True, slots=True)
class _Search:
    """A request that is checked, with the view that it is answered from. `reader`: of the same
    rows, if it is a search by words."""

    request: SearchRequest
    pointer: str
    view: LibraryView
    filter: Filter | None
    reader: LexicalReader | None = None


class SearchService:
    """`embedders`: by the name of their model, blocking. `index_error`: why a library's index
    could not be built, by the library's id."""

    def __init__(
        self,
        catalog: Catalog,
        embedders: Mapping[str, Embedder],
        *,
        min_position_wait_s: float,
        index_error: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._catalog = catalog
        self._embedders = embedders
        self._lexical = LexicalIndexes(catalog)
        self._min_position_wait_s = min_position_wait_s
        self._index_error = index_error

    def estimate_us(self, request: SearchRequest) -> float:
        """About how long `search` will take, in µs: whether the event loop can afford it.

        Infinite for what may wait, for a model or for a position.
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
        scan = view.scanned_bytes * _US_PER_BYTE
        filtering = view.vectors * _US_PER_FILTERED_CHUNK if request.filter is not None else 0.0
        return _US_PER_SEARCH + scan + filtering + request.k * _US_PER_HIT

    def search(self, request: SearchRequest) -> SearchAnswer:
        """Raises: NotFound, Invalid, Behind, ProviderError."""
        return self._answers([request], [""])[0]

    def search_many(self, requests: Sequence[SearchRequest]) -> list[SearchAnswer]:
        """All on the same state; faults point to `/searches/i`. All of them, or none.

        Raises:
            NotFound, Invalid, Behind, ProviderError.
        """
        return self._answers(requests, [f"/searches/{i}" for i in range(len(requests))])

    def page(
        self,
        ref: str,
        *,
        filter: object | None = None,
        order_by: str | None = None,
        after: After | None = None,
        limit: int,
        min_position: int = 0,
    ) -> At[ChunkPage]:
        """A library's chunks that match, in order of id or of `order_by`.

        Raises:
            NotFound, Behind; Invalid: at `/filter` or `/order_by`.
        """
        state = self._state(min_position)
        view = state.library(ref)
        schema = view.library.metadata_schema
        parsed = None if filter is None else filters.parse(filter, schema)
        order = None if order_by is None else filters.parse_order(order_by, schema)
        return At(select(view, parsed, order, after=after, limit=limit), state.position)

    def index(self, ref: str, *, min_position: int = 0) -> At[IndexStatus]:
        """Raises: NotFound, Behind."""
        state = self._state(min_position)
        view = state.library(ref)
        error, words = (
            self._index_error(view.library.id),
            self._lexical.memory_bytes(view.library.id),
        )
        return At(index_status(view, error, lexical_memory_bytes=words), state.position)

    def _state(self, min_position: int) -> CatalogState:
        self._catalog.wait_for(min_position, self._min_position_wait_s)
        return self._catalog.state

    def _answers(
        self, requests: Sequence[SearchRequest], pointers: Sequence[str]
    ) -> list[SearchAnswer]:
        started = perf_counter()
        state = self._state(max((request.min_position for request in requests), default=0))
        searches = _checked(state, requests, pointers)
        if any(search.request.mode != "vector" for search in searches):
            state, searches = self._with_readers(requests, pointers)
        answers = []
        for search, query in zip(searches, self._queries(searches), strict=True):
            hits, plan = _found(search, query)
            took_ms = (perf_counter() - started) * 1e3
            answers.append(SearchAnswer(hits, plan, state.position, took_ms))
        return answers

    def _with_readers(
        self, requests: Sequence[SearchRequest], pointers: Sequence[str]
    ) -> tuple[CatalogState, list[_Search]]:
        """All again from a state that the indexes of words are at."""
        worded = {request.library for request in requests if request.mode != "vector"}
        state, readers = self._lexical.at_once(worded)
        return state, [
            search
            if search.request.mode == "vector"
            else replace(search, reader=readers[search.view.library.id])
            for search in _checked(state, requests, pointers)
        ]

    def _queries(self, searches: Sequence[_Search]) -> list[Embedding | None]:
        """One for each search; `None` where there is nothing to search in. Texts go together."""
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
            raise ProviderRejected(f"This server has no model {model!r}, which the library takes.")
        return embedder


def _checked(
    state: CatalogState, requests: Sequence[SearchRequest], pointers: Sequence[str]
) -> list[_Search]:
    searches: list[_Search] = []
    faults: list[Fault] = []
    for request, pointer in zip(requests, pointers, strict=True):
        try:
            searches.append(_check(state, request, pointer))
        except Invalid as invalid:
            faults.extend(invalid.faults)
    if faults:
        raise Invalid(faults)
    return searches


def _check(state: CatalogState, request: SearchRequest, pointer: str) -> _Search:
    request.check(pointer)
    view = state.library(request.library)
    schema = view.library.metadata_schema
    parsed = None
    if request.filter is not None:
        parsed = filters.parse(request.filter, schema, f"{pointer}/filter")
    search = _Search(request, pointer, view, parsed)
    if request.embedding is not None:
        _check_vector(search, request.embedding, "/embedding")
    elif _needs_model(search) and view.library.embedding_model is None:
        detail = "This library has no model, its vectors are the client's own: give an embedding."
        place = "embedding" if request.mode == "hybrid" else "text"
        raise Invalid.at(f"{pointer}/{place}", detail)
    return search


def _needs_model(search: _Search) -> bool:
    request = search.request
    return request.mode != "lexical" and request.embedding is None and search.view.vectors > 0


def _check_vector(search: _Search, embedding: Embedding, place: str) -> None:
    library = search.view.library
    vectors.check(
        embedding,
        dimension=library.dimension,
        metric=library.metric,
        pointer=search.pointer + place,
    )


def _found(search: _Search, query: Embedding | None) -> tuple[list[Hit], Plan]:
    request, view = search.request, search.view
    matches = None if search.filter is None else view.matching(search.filter)
    if not view.vectors:
        return [], _plan(request, NOTHING, matches)

    def best(k: int) -> Ranking:
        return _ranking(search, query, k, matches)

    if request.group_by:
        total = view.vectors if matches is None else matches.count
        ranking = best_per_document(view, best, request.k, total=total)
    else:
        ranking = best(request.k)
    with_embedding = "embedding" in request.include
    hits = []
    for serial, score in zip(ranking.serials.tolist(), ranking.scores.tolist(), strict=True):
        chunk = view.chunk(serial)
        embedding = view.embedding(serial) if with_embedding else None
        hits.append(Hit(chunk, view.documents[chunk.document_id], score, embedding))
    return hits, _plan(request, ranking, matches)


def _ranking(search: _Search, query: Embedding | None, k: int, matches: Matches | None) -> Ranking:
    """`query`: the vector to search for, in any mode but `lexical`."""
    request, view, reader = search.request, search.view, search.reader
    effort, text = _effort(request), request.text or ""
    if query is None:
        return NOTHING if reader is None else lexical(view, reader, text, k, matches=matches)
    if reader is None:
        [ranking] = view.search(query[np.newaxis], k, matches=matches, effort=effort)
        return ranking
    weights = _weights(request)
    return hybrid(view, reader, text, query, k, weights=weights, matches=matches, effort=effort)


def _weights(request: SearchRequest) -> Weights:
    if request.weights is None:
        return DEFAULT_WEIGHTS
    vector, words = request.weights["vector"], request.weights["lexical"]
    return Weights(vector / (vector + words), words / (vector + words))


def _effort(request: SearchRequest) -> Effort:
    if not request.exact and not request.parameters:
        return DEFAULT_EFFORT
    return Effort(exact=request.exact).or_else(request.parameters)


def _plan(request: SearchRequest, ranking: Ranking, matches: Matches | None) -> Plan:
    return Plan(
        index=ranking.index if request.mode == "vector" else request.mode,
        filter="none" if matches is None else ranking.strategy,
        matches=None if matches is None else matches.count,
        exact=ranking.exact,
    )
