"""The answer to a query, out of what each part of a library found."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.domain.library import IndexKind
from core.indexing.exact import Floats
from core.indexing.part import Part, Serials
from core.indexing.vector_index import Found


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Best first; higher scores are better, and ties go by chunk id.

    `serials`: `(h,) int64`, the rows. `scores`: `(h,) float64`. `index` and `strategy` are those
    of the largest part that was searched; `exact`: nothing nearer can have been missed.
    """

    serials: Serials
    scores: Floats
    index: IndexKind = IndexKind.FLAT
    strategy: str = "exact_over_matches"
    exact: bool = True


NOTHING = Ranking(np.empty(0, np.int64), np.empty(0))


def merge(parts: Sequence[Part], founds: Sequence[Found], k: int) -> Ranking:
    """The k best of what the parts found for one query; O(k · parts) but for ties."""
    if len(parts) == 1 and (ranking := _as_found(parts[0], founds[0], k)) is not None:
        return ranking
    hits: list[tuple[float, str, int]] = []
    for part, found in zip(parts, founds, strict=True):
        if len(found.rows) > k:
            found = _best(found, k)
        chunks = part.rows.chunks
        ids = [chunks[row].id for row in found.rows.tolist()]
        serials = part.serials_of(found.rows).tolist()
        hits += zip((-found.scores).tolist(), ids, serials, strict=True)
    hits.sort()
    del hits[k:]
    largest = max(range(len(parts)), key=lambda i: parts[i].size)
    return Ranking(
        np.array([serial for _, _, serial in hits], np.int64),
        np.array([-score for score, _, _ in hits], np.float64),
        parts[largest].kind,
        founds[largest].strategy,
        all(found.exact for found in founds),
    )


def _as_found(part: Part, found: Found, k: int) -> Ranking | None:
    """With no tie to break the order is the index's own, and no row is looked at."""
    scores = found.scores[: k + 1].tolist()
    if len(set(scores)) < len(scores):
        return None
    serials = part.serials_of(found.rows[:k])
    return Ranking(serials, found.scores[:k], part.kind, found.strategy, found.exact)


def _best(found: Found, k: int) -> Found:
    """The k best, and all that tie with the last."""
    kept = found.scores >= np.partition(found.scores, len(found.scores) - k)[-k]
    return Found(found.rows[kept], found.scores[kept], found.strategy, found.exact)
