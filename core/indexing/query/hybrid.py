"""Lexical rankings, and hybrid rankings that combine lexical and vector scores."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from core.domain.document import Embedding
from core.indexing.lexical.bm25 import LexicalReader
from core.indexing.segment.segment import RowIds
from core.indexing.vectors.exact import Floats
from core.indexing.vectors.vector_index import DEFAULT_PARAMS, SearchParams
from core.indexing.views.ranking import Ranking
from core.indexing.views.view import LibraryView, Matches

_POOL_PER_HIT, _LEAST_POOL = 4, 100


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of the vector and the lexical score in a hybrid score; the sum is 1.

    Tuned on questions to encyclopedia articles and to a FAQ, and checked on other data sets: see
    `docs/decisions/0009-hybrid-by-normalised-scores.md`.
    """

    vector: float = 0.3
    lexical: float = 0.7


DEFAULT_WEIGHTS = Weights()


def lexical(
    view: LibraryView, reader: LexicalReader, text: str, k: int, *, matches: Matches | None = None
) -> Ranking:
    """Return the `k` best chunks by BM25 among those that contain a term of the text."""
    allowed = None if matches is None else view.row_ids(matches)
    ranking = reader.search(text, k, allowed)
    return _ranking(view, ranking.row_ids, ranking.scores, k)


def hybrid(
    view: LibraryView,
    reader: LexicalReader,
    text: str,
    query: Embedding,
    k: int,
    *,
    weights: Weights = DEFAULT_WEIGHTS,
    matches: Matches | None = None,
    params: SearchParams = DEFAULT_PARAMS,
) -> Ranking:
    """Return the `min(k, matches)` best chunks by the weighted mean of both scores.

    The candidates are the `max(4 k, 100)` best of either search, and each gets both scores, scaled
    to [0, 1]: a vector score is scaled from the candidates' least to their greatest, a BM25 score
    from 0, the score of a chunk without any of the terms (Bruch, Gai & Ingber, An Analysis of
    Fusion Functions for Hybrid Retrieval, 2023).
    """
    pool = max(_POOL_PER_HIT * k, _LEAST_POOL)
    [near] = view.search(query[np.newaxis], pool, matches=matches, params=params)
    allowed = None if matches is None else view.row_ids(matches)
    lexical_ids = reader.search(text, pool, allowed).row_ids[:pool]
    others = np.setdiff1d(lexical_ids, near.row_ids)
    row_ids, vector_scores = near.row_ids, near.scores
    if len(others):
        exact = SearchParams(exact=True)
        chosen = _matches_of(view, others)
        [rest] = view.search(query[np.newaxis], len(others), matches=chosen, params=exact)
        row_ids = np.concatenate([row_ids, rest.row_ids])
        vector_scores = np.concatenate([vector_scores, rest.scores])
    lexical_scores = reader.scores(text, row_ids)
    fused = weights.vector * _scale(vector_scores)
    fused += weights.lexical * _scale_from_zero(lexical_scores)
    ranking = _ranking(view, row_ids, fused, k)
    return replace(ranking, strategy=near.strategy, exact=near.exact)


def _matches_of(view: LibraryView, row_ids: RowIds) -> Matches:
    """Return the matches that consist of the given live rows; `row_ids` ascend."""
    ends = [
        *np.searchsorted(row_ids, [segment.first for segment in view.segments[1:]]),
        len(row_ids),
    ]
    rows, start = [], 0
    for segment, end in zip(view.segments, ends, strict=True):
        rows.append(BitMap(segment.rows_of(row_ids[start:end]).tolist()))
        start = end
    return Matches.of(tuple(rows))


def _scale(scores: Floats) -> Floats:
    """Scale scores linearly to [0, 1]; equal scores all become 1."""
    if not len(scores):
        return scores
    least, span = scores.min(), np.ptp(scores)
    return (scores - least) / span if span > 0 else np.ones(len(scores))


def _scale_from_zero(scores: Floats) -> Floats:
    return scores / scores.max() if scores.any() else scores


def _ranking(view: LibraryView, row_ids: RowIds, scores: Floats, k: int) -> Ranking:
    """Return the `k` best rows, ties in order of chunk id."""
    ids = [view.chunk(row_id).id for row_id in row_ids.tolist()]
    values = scores.tolist()
    order: NDArray[np.intp] = np.array(
        sorted(range(len(ids)), key=lambda i: (-values[i], ids[i]))[:k], np.intp
    )
    return Ranking(row_ids[order], scores[order])
