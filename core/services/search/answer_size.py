"""The limit on the size of a search's answer, checked before the search runs."""

from collections.abc import Sequence

from core.domain.errors import Invalid
from core.services.search.ranking import CheckedSearch

MAX_ANSWER_BYTES = 64 * 1024 * 1024

_BYTES_PER_NUMBER = 12


def check_answer_size(searches: Sequence[CheckedSearch]) -> None:
    """Check that the embeddings that the searches include fit in one answer.

    Raises:
        Invalid: they do not; the fault is at the `include` of the first search over the limit.
    """
    total = 0
    for search in searches:
        if "embedding" not in search.request.include:
            continue
        hits = min(search.request.k, search.view.vectors)
        total += hits * (search.view.library.dimension or 0) * _BYTES_PER_NUMBER
        if total > MAX_ANSWER_BYTES:
            raise Invalid.at(
                f"{search.pointer}/include",
                f"Embeddings of this many hits would take over {total // 2**20} MiB, and an answer "
                f"has at most {MAX_ANSWER_BYTES // 2**20} MiB: ask for fewer hits or searches at "
                "once, or without embeddings.",
            )
