# Written by sdk/unasync.py from _async/queries.py: change that one, then `make generate`.
"""`client.queries`: questions, each run by a workflow."""

from collections.abc import Iterator
from datetime import datetime
from typing import Unpack

from nalanda._models import QueryEvent, QueryHandle, QueryState, QueryStatus, QuerySummary
from nalanda._options import QueryOptions, given_options
from nalanda._requests import Request, create_request, path_of, query_of
from nalanda._sync.polling import watch_states
from nalanda._sync.streams import follow_events
from nalanda._sync.transport import Transport

FIRST_POLL_S = 0.02


class Queries:
    """Methods of questions; a question runs on even if its client ends."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def start(
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
        return self._transport.fetch(QueryHandle, request)

    def get(self, workflow_id: str) -> QueryState:
        return self._transport.fetch(QueryState, Request("GET", path_of("query", workflow_id)))

    def cancel(self, workflow_id: str) -> None:
        """Request cancellation; the question is over once its status is `cancelled`.

        Raises:
            ConflictError: the question is already over.
        """
        self._transport.send(create_request(path_of("query", workflow_id, "cancel"), None))

    def feedback(self, workflow_id: str, rating: int, comment: str | None = None) -> None:
        """Rate the answer with 1, 0 or -1, while the question runs or afterwards."""
        body = given_options({"rating": rating, "comment": comment})
        self._transport.send(create_request(path_of("query", workflow_id, "feedback"), body))

    def watch(self, workflow_id: str, *, timeout_s: float | None = None) -> Iterator[QueryState]:
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

    def events(self, workflow_id: str, *, last_event_id: int | None = None) -> Iterator[QueryEvent]:
        """Yield the events after `last_event_id` as they occur, up to the last one.

        An interrupted stream is resumed where it ended.

        Raises:
            ConnectionFailed, TimedOut, UnavailableError: the stream can't be resumed.
        """
        path = path_of("query", workflow_id, "events")
        return follow_events(self._transport, path, last_event_id)

    def wait(self, workflow_id: str, *, timeout_s: float | None = None) -> QueryState:
        """Wait for the end of the question, and return its last state.

        Raises:
            TimedOut: the question was not over in time. It still runs.
        """
        states = list(self.watch(workflow_id, timeout_s=timeout_s))
        return states[-1]

    def list(
        self,
        *,
        library: str | None = None,
        status: QueryStatus | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        page_size: int = 100,
    ) -> Iterator[QuerySummary]:
        """List questions, newest first, asked at `since` or later and before `until`."""
        bounds = {"since": since, "until": until}
        params = query_of(library=library, status=status, **bounds, limit=page_size)
        return self._transport.pages(QuerySummary, Request("GET", "/query", params))
