"""`client.queries`: questions, each run by a workflow."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Literal, Unpack

from nalanda._async.polling import watch_states
from nalanda._async.streams import follow_events
from nalanda._async.transport import Transport
from nalanda._models.diffs import QueryDiff
from nalanda._models.query_events import StreamEvent, typed_event
from nalanda._models.questions import (
    Preview,
    QueryEvent,
    QueryHandle,
    QueryState,
    QueryStatus,
    QuerySummary,
    TakenTokens,
)
from nalanda._options import AdjustOptions, QueryOptions, given_options
from nalanda._requests import Request, create_request, path_of, query_of, write_request

FIRST_POLL_S = 0.02


class Queries:
    """Methods of questions; a question runs on even if its client ends."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def start(
        self,
        library: str,
        query: str,
        *,
        idempotency_key: str | None = None,
        **options: Unpack[QueryOptions],
    ) -> QueryHandle:
        """Start a question; the same `idempotency_key` and question give the same workflow."""
        body = given_options({"library": library, "query": query, **options})
        request = create_request("/query", body, key=idempotency_key)
        return await self._transport.fetch(QueryHandle, request)

    async def get(self, workflow_id: str) -> QueryState:
        return await self._transport.fetch(
            QueryState, Request("GET", path_of("query", workflow_id))
        )

    async def cancel(self, workflow_id: str) -> None:
        """Request cancellation; the question is over once its status is `cancelled`.

        Raises:
            ConflictError: the question is already over.
        """
        await self._transport.send(create_request(path_of("query", workflow_id, "cancel"), None))

    async def adjust(self, workflow_id: str, **options: Unpack[AdjustOptions]) -> None:
        """Change parameters of a running question; `filter=None` removes its filter.

        Raises:
            ConflictError: the stage that reads a parameter has begun, or the question is over.
        """
        await self._transport.send(create_request(path_of("query", workflow_id, "adjust"), options))

    async def review(
        self,
        workflow_id: str,
        decision: Literal["approve", "reject"],
        *,
        drop: Iterable[str] = (),
        pin: Iterable[str] = (),
        query: str | None = None,
    ) -> Preview:
        """Review the hits of a question that waits for it; return what is left of them.

        `drop`: ids of chunks not to answer from. `pin`: those to answer from first. `query`: search
        for this question instead; `reject` then asks for a review of what is found.

        Raises:
            ConflictError: no review is awaited.
            ValidationError: a chunk was not offered.
        """
        body = given_options(
            {"decision": decision, "drop": list(drop), "pin": list(pin), "query": query}
        )
        request = create_request(path_of("query", workflow_id, "review"), body)
        return await self._transport.fetch(Preview, request)

    async def feedback(self, workflow_id: str, rating: int, comment: str | None = None) -> None:
        """Rate the answer with 1, 0 or -1, while the question runs or afterwards."""
        body = given_options({"rating": rating, "comment": comment})
        await self._transport.send(create_request(path_of("query", workflow_id, "feedback"), body))

    async def rerun(
        self,
        workflow_id: str,
        stage: Literal["retrieve", "rerank", "answer"],
        *,
        at: Literal["then", "now"] = "then",
        idempotency_key: str | None = None,
        **options: Unpack[AdjustOptions],
    ) -> QueryHandle:
        """Ask a finished question again from a stage on, with other parameters.

        `at`: with the chunks as the question saw them, or as they are now.

        Raises:
            ConflictError: the question runs, or has not found what the stage needs.
            ValidationError: no stage that runs again reads a parameter.
        """
        body = {"from": stage, "at": at, **options}
        path = path_of("query", workflow_id, "rerun")
        return await self._transport.fetch(
            QueryHandle, create_request(path, body, key=idempotency_key)
        )

    async def diff(self, workflow_id: str, other_id: str) -> QueryDiff:
        """Compare the results of two questions: what the other one has gained, lost and moved.

        Raises:
            ConflictError: one of them has no result.
        """
        path = path_of("query", workflow_id, "diff", other_id)
        return await self._transport.fetch(QueryDiff, Request("GET", path))

    async def delete(self, workflow_id: str) -> None:
        """Delete a finished question: its history, events, archived state and feedback.

        Raises:
            ConflictError: the question is still running.
        """
        await self._transport.send(write_request("DELETE", path_of("query", workflow_id)))

    async def add_tokens(
        self, workflow_id: str, series: int, before: int, texts: Sequence[str]
    ) -> int:
        """Send pieces of an answer that a worker's provider is writing, for its readers.

        `series` counts the attempts, and `before` the texts that were sent before. Return the
        number of texts that the server has: earlier ones are to be sent again.
        """
        body = {"series": series, "before": before, "texts": texts}
        request = Request("POST", path_of("query", workflow_id, "tokens"), body=body)
        return (await self._transport.fetch(TakenTokens, request)).taken

    def watch(
        self, workflow_id: str, *, timeout_s: float | None = None
    ) -> AsyncIterator[QueryState]:
        """Yield the state now and after each change; the last one is closed.

        Raises:
            TimedOut: the question was not over in time. It still runs.
        """
        return watch_states(
            lambda: self.get(workflow_id),
            f"The question {workflow_id}",
            first_poll_s=FIRST_POLL_S,
            timeout_s=timeout_s,
        )

    def events(
        self, workflow_id: str, *, last_event_id: int | None = None
    ) -> AsyncIterator[QueryEvent]:
        """Yield the events after `last_event_id` as they occur, up to the last one.

        An interrupted stream is resumed where it ended.

        Raises:
            ConnectionFailed, TimedOut, UnavailableError: the stream can't be resumed.
        """
        path = path_of("query", workflow_id, "events")
        return follow_events(self._transport, path, last_event_id)

    async def stream(
        self, workflow_id: str, *, last_event_id: int | None = None
    ) -> AsyncIterator[StreamEvent]:
        """Yield the events like `events`, typed: the last one has the result, or why there is none.

        Raises:
            ConnectionFailed, TimedOut, UnavailableError: the stream can't be resumed.
        """
        async for event in self.events(workflow_id, last_event_id=last_event_id):
            yield typed_event(event)

    async def wait(self, workflow_id: str, *, timeout_s: float | None = None) -> QueryState:
        """Wait for the end of the question, and return its last state.

        Raises:
            TimedOut: the question was not over in time. It still runs.
        """
        states = [state async for state in self.watch(workflow_id, timeout_s=timeout_s)]
        return states[-1]

    def list(
        self,
        *,
        library: str | None = None,
        status: QueryStatus | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[QuerySummary]:
        """List questions, the running ones and then the last closed ones first.

        They were asked at `since` or later, and before `until`.
        """
        bounds = {"since": since, "until": until}
        params = query_of(library=library, status=status, **bounds, limit=page_size)
        return self._transport.pages(QuerySummary, Request("GET", "/query", params))
