"""The difference between the results of two questions."""

from collections.abc import Sequence

from api.wire.questions import (
    AnswerDiff,
    CitationsDiff,
    DiffResponse,
    HitsDiff,
    Move,
    QuestionResponse,
)
from core.contracts.query import Citation, QueryResult, RankedChunk
from core.domain.errors import Conflict


def result_of(question: QuestionResponse) -> QueryResult:
    """Return the result of a completed question.

    Raises:
        Conflict: it has none.
    """
    if question.status != "completed" or question.result is None:
        raise Conflict(
            f"The question {question.workflow_id} has no result: its status is {question.status}."
        )
    return question.result


def compare(before: QueryResult, after: QueryResult) -> DiffResponse:
    """Return what changed from one result to another."""
    return DiffResponse(
        hits=_compare_hits(before.hits, after.hits),
        answer=AnswerDiff(before=before.answer, after=after.answer),
        citations=CitationsDiff(
            gained=_missing(after.citations, before.citations),
            lost=_missing(before.citations, after.citations),
        ),
    )


def _compare_hits(before: Sequence[RankedChunk], after: Sequence[RankedChunk]) -> HitsDiff:
    old = {hit.chunk_id: rank for rank, hit in enumerate(before, start=1)}
    new = {hit.chunk_id: rank for rank, hit in enumerate(after, start=1)}
    return HitsDiff(
        gained=[hit for hit in after if hit.chunk_id not in old],
        lost=[hit for hit in before if hit.chunk_id not in new],
        moved=[
            Move(chunk_id=chunk_id, before=old[chunk_id], after=rank)
            for chunk_id, rank in new.items()
            if chunk_id in old and old[chunk_id] != rank
        ],
    )


def _missing(citations: Sequence[Citation], others: Sequence[Citation]) -> list[Citation]:
    """Return the citations whose quote is not among those of the others."""
    quotes = {(other.chunk_id, other.quote) for other in others}
    return [one for one in citations if (one.chunk_id, one.quote) not in quotes]
