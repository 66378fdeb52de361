"""The ranking of a query's hits, merged from the hits of each segment."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat

import numpy as np

from core.domain.library import IndexKind
from core.indexing.segment.segment import RowIds, Segment
from core.indexing.vectors.exact import Floats
from core.indexing.vectors.vector_index import SegmentHits


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Hits, best first; higher scores are better, and chunk ids break ties.

    `row_ids`: `(h,) int64`. `scores`: `(h,) float64`. `index` and `strategy` are those of the
    largest segment that was searched. `exact`: no nearer row can have been missed.
    """

    row_ids: RowIds
    scores: Floats
    index: IndexKind = IndexKind.FLAT
    strategy: str = "exact_over_matches"
    exact: bool = True


NOTHING = Ranking(np.empty(0, np.int64), np.empty(0))


def merge(segments: Sequence[Segment], of_segments: Sequence[SegmentHits], k: int) -> Ranking:
    """Return the k best of the segments' hits for one query; O(k · segments) unless scores tie."""
    if (
        len(segments) == 1
        and (ranking := _rank_without_ties(segments[0], of_segments[0], k)) is not None
    ):
        return ranking
    hits: list[tuple[float, int, int]] = []
    for number, of_segment in enumerate(of_segments):
        scores = of_segment.scores
        if len(scores) > k:  # keep every row that ties with the k-th best
            scores = scores[: np.count_nonzero(scores >= scores[k - 1])]
        hits += zip((-scores).tolist(), repeat(number), of_segment.rows.tolist())
    hits.sort()
    if any(hit[0] == following[0] for hit, following in pairwise(hits[: k + 1])):
        hits.sort(key=lambda hit: (hit[0], segments[hit[1]].rows.chunks[hit[2]].id))
    del hits[k:]
    largest = max(range(len(segments)), key=lambda i: segments[i].size)
    return Ranking(
        np.array([segments[number].row_id_of(row) for _, number, row in hits], np.int64),
        np.array([-score for score, _, _ in hits], np.float64),
        segments[largest].kind,
        of_segments[largest].strategy,
        all(of_segment.exact for of_segment in of_segments),
    )


def _rank_without_ties(segment: Segment, hits: SegmentHits, k: int) -> Ranking | None:
    """Return the hits in the index's own order; `None` if a tie must be broken by chunk ids."""
    scores = hits.scores[: k + 1].tolist()
    if len(set(scores)) < len(scores):
        return None
    row_ids = segment.row_ids_of(hits.rows[:k])
    return Ranking(row_ids, hits.scores[:k], segment.kind, hits.strategy, hits.exact)
