"""The review of a question's hits: what is offered, and what the reviewer has decided."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from core.contracts.names import NOT_AWAITED, NOT_OFFERED
    from core.contracts.query import Preview, RankedChunk, ReviewRequest
    from core.contracts.review import MAX_REVIEWS, Review


class Reviews:
    """The reviews of one question; chunks that a review pinned or dropped stay so in later ones."""

    def __init__(self) -> None:
        self.requests: list[ReviewRequest] = []
        self._review: Review | None = None
        self._is_open = False
        self._pinned: dict[str, RankedChunk] = {}
        self._dropped: set[str] = set()

    @property
    def is_awaited(self) -> bool:
        return self._is_open and self._review is None

    async def wait(self, preview: Preview, timeout_s: float) -> Review | None:
        """Offer the preview, and return the review; `None` if none comes in time."""
        timeout = timedelta(seconds=timeout_s)
        until = workflow.now() + timeout
        self.requests.append(ReviewRequest(**dict(preview), until=until))
        self._review, self._is_open = None, True
        workflow.set_current_details(_details(until))
        try:
            with suppress(TimeoutError):  # a review may come in the same task as the time-out
                await workflow.wait_condition(
                    lambda: self._review is not None, timeout=timeout, timeout_summary="review"
                )
        except asyncio.CancelledError:  # no `finally`: a workflow that the worker drops runs it too
            self._end_wait()
            raise
        self._end_wait()
        return self._review

    def _end_wait(self) -> None:
        self._is_open = False
        workflow.set_current_details("")

    def check(self, review: Review) -> None:
        """Refuse a review that can't be applied.

        Raises:
            ApplicationError: of type `NotAwaited` or `NotOffered`.
        """
        if not self.is_awaited:
            raise _refusal(NOT_AWAITED, "No review of this question is awaited.")
        if review.query is not None and len(self.requests) == MAX_REVIEWS:
            detail = f"A question is reviewed at most {MAX_REVIEWS} times: decide without a query."
            raise _refusal(NOT_AWAITED, detail)
        offered = self._offered()
        for name, chunk_ids in (("drop", review.drop), ("pin", review.pin)):
            for place, chunk_id in enumerate(chunk_ids):
                if chunk_id not in offered:
                    detail = f"The chunk {chunk_id!r} was not offered for review."
                    raise _refusal(NOT_OFFERED, detail, f"/{name}/{place}")
        for place, chunk_id in enumerate(review.pin):
            if chunk_id in review.drop:
                detail = f"The chunk {chunk_id!r} can't be both dropped and pinned."
                raise _refusal(NOT_OFFERED, detail, f"/pin/{place}")

    def take(self, review: Review) -> Preview:
        """Take a checked review, which ends the wait; return what it leaves of the preview."""
        offered = self._offered()
        for chunk_id in review.drop:
            self._pinned.pop(chunk_id, None)
            self._dropped.add(chunk_id)
        for chunk_id in review.pin:
            self._dropped.discard(chunk_id)
            self._pinned[chunk_id] = offered[chunk_id]
        self._review = review
        last = self.requests[-1]
        hits = self.select(last.hits)
        kept = {hit.chunk_id for hit in hits}
        others = [hit for hit in offered.values() if hit.chunk_id not in kept]
        return Preview(query=last.query, hits=hits, candidates=others, position=last.position)

    def select(self, hits: Sequence[RankedChunk]) -> list[RankedChunk]:
        """Return the hits with the pinned ones first, and without the dropped ones."""
        ranked = {hit.chunk_id: hit for hit in hits}
        pinned = [ranked.get(chunk_id, hit) for chunk_id, hit in self._pinned.items()]
        return [*pinned, *self._others(hits)]

    def _others(self, hits: Iterable[RankedChunk]) -> list[RankedChunk]:
        taken = self._pinned.keys() | self._dropped
        return [hit for hit in hits if hit.chunk_id not in taken]

    def _offered(self) -> dict[str, RankedChunk]:
        last = self.requests[-1]
        return {hit.chunk_id: hit for hit in (*last.candidates, *last.hits)}


def _details(until: datetime) -> str:
    """Return what the Web UI shows of a question that waits for its review."""
    return (
        f"Waits for a review until {until:%Y-%m-%d %H:%M} UTC: send the update `review`, as "
        "`nalanda review` does. The query `preview` shows what would be answered from."
    )


def _refusal(kind: str, detail: str, *details: str) -> ApplicationError:
    return ApplicationError(detail, *details, type=kind, non_retryable=True)
