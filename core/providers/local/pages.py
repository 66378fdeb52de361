"""Evidence of pages: several good passages of a document speak for it.

A passage is raised by the passages of its document that rank below it, as the sum of a document's
passages ranks it better than the best of them alone (Callan, Passage-Level Evidence in Document
Retrieval, 1994).
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_SUPPORT = 0.5
"""The weight of each further passage of a document, in proportion to the one before it."""
_REPETITION = 0.5
"""The factor of each further passage's rank, so that the first ones are of several documents."""


def with_page_evidence(
    scores: NDArray[np.float64], document_ids: Sequence[str]
) -> NDArray[np.float64]:
    """Return a score from 0 to 1 for each passage, by `(n,)` scores from 0 to 1.

    Passages of one document stay in the order of their scores.
    """
    by_document = defaultdict[str, list[int]](list)
    for index in np.argsort(-scores, kind="stable").tolist():
        by_document[document_ids[index]].append(index)
    raised = np.empty_like(scores)
    for ranked in by_document.values():
        below = 0.0
        for place, index in reversed(list(enumerate(ranked))):
            below = scores[index] + _SUPPORT * below
            raised[index] = below * (1 - _SUPPORT) * _REPETITION**place
    return raised
