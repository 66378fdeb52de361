# Written by sdk/unasync.py from _async/client.py: change that one, then `make generate`.
"""The client of the server."""

import os
from collections.abc import Iterable, Sequence
from copy import copy
from types import TracebackType
from typing import Self, Unpack

import httpx
from pydantic import BaseModel

from nalanda._addresses import addresses_of
from nalanda._consistency import Consistency
from nalanda._errors import QueryFailed, UnavailableError
from nalanda._models.questions import QueryResult
from nalanda._models.search import SearchResult
from nalanda._models.server import Readiness, Version
from nalanda._options import QueryOptions, SearchOptions, given_options, pack_items
from nalanda._requests import Request, at_least, path_of
from nalanda._sync.chunks import Chunks
from nalanda._sync.cluster import Clusters
from nalanda._sync.conversations import Conversations
from nalanda._sync.documents import Documents
from nalanda._sync.index import Indexes
from nalanda._sync.ingestions import Ingestions
from nalanda._sync.libraries import Libraries
from nalanda._sync.queries import Queries
from nalanda._sync.transport import Transport

DEFAULT_URL = "http://127.0.0.1:8000"


class Searched(BaseModel):
    results: list[SearchResult]


class Nalanda:
    """A client of one database; use it as a context manager, or close it.

    `base_url` is the address of a server, or those of several nodes of a cluster, as a sequence or
    with commas in between. It defaults to the environment's `NALANDA_API_URL`, else to this
    machine's server. A call takes at most `timeout_s`, including retries on any of the nodes: up to
    `max_retries`, which are 3 with one node by default, and as many as the time allows with
    several. `consistency` is what reads have to see: `strong` is every acknowledged write,
    `session` what this client has written or read before, `eventual` whatever a node has. With
    `instance_id`, which `version()` returns, a server of another instance refuses each call with an
    `ApiError` of status 421. `transport` is httpx's, for servers that are reached in another way.

    Raises:
        InvalidAddress: an address is none that a server can be reached at.
    """

    def __init__(
        self,
        base_url: str | Sequence[str] | None = None,
        *,
        api_key: str | None = None,
        timeout_s: float = 30.0,
        max_retries: int | None = None,
        instance_id: str | None = None,
        consistency: Consistency = "session",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._use(
            Transport(
                addresses_of(base_url or os.environ.get("NALANDA_API_URL") or DEFAULT_URL),
                api_key=api_key,
                timeout_s=timeout_s,
                max_retries=max_retries,
                instance_id=instance_id,
                consistency=consistency,
                transport=transport,
            )
        )

    def _use(self, transport: Transport) -> None:
        self._transport = transport
        self.libraries = Libraries(transport)
        self.documents = Documents(transport)
        self.chunks = Chunks(transport)
        self.index = Indexes(transport)
        self.ingestions = Ingestions(transport)
        self.queries = Queries(transport)
        self.conversations = Conversations(transport)
        self.cluster = Clusters(transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def with_consistency(self, consistency: Consistency) -> Self:
        """Return a client whose reads have to see more, or less.

        It shares the connections and the session of this one, and closes with it.

        Raises:
            InvalidValue: there is no such consistency.
        """
        other = copy(self)
        other._use(self._transport.with_consistency(consistency))  # noqa: SLF001 - of this class
        return other

    @property
    def position(self) -> int:
        """Return the highest position in any response; pass it as `min_position` to read it."""
        return self._transport.session.position

    def search(
        self,
        library: str,
        *,
        min_position: int | None = None,
        **search: Unpack[SearchOptions],
    ) -> SearchResult:
        """Find the `k` nearest chunks among those that pass the filter.

        Raises:
            UnavailableError: the server has not reached `min_position`.
        """
        path = path_of("libraries", library, "search")
        headers = at_least(min_position)
        request = Request("POST", path, body=given_options(search), headers=headers)
        return self._transport.fetch(SearchResult, request)

    def search_batch(
        self,
        library: str,
        searches: Iterable[SearchOptions],
        *,
        min_position: int | None = None,
    ) -> list[SearchResult]:
        """Run up to 100 searches in one request; the results are in the same order."""
        path = path_of("libraries", library, "search", "batch")
        body = {"searches": pack_items(searches, ("searches",))}
        request = Request("POST", path, body=body, headers=at_least(min_position))
        return (self._transport.fetch(Searched, request)).results

    def ask(
        self,
        library: str,
        query: str,
        *,
        timeout_s: float | None = 60.0,
        **options: Unpack[QueryOptions],
    ) -> QueryResult:
        """Start a question and wait for its answer.

        Raises:
            QueryFailed: the question ended without an answer.
            TimedOut: the question was not over in time. It still runs; the error names it.
        """
        handle = self.queries.start(library, query, **options)
        state = self.queries.wait(handle.workflow_id, timeout_s=timeout_s)
        if state.status != "completed" or state.result is None:
            raise QueryFailed(state)
        return state.result

    def version(self) -> Version:
        return self._transport.fetch(Version, Request("GET", "/version"))

    def ready(self) -> Readiness:
        """Return whether the server accepts requests, and the state of each part."""
        try:
            return self._transport.fetch(Readiness, Request("GET", "/readyz", repeatable=False))
        except UnavailableError as error:
            checks = error.problem.get("checks")
            parts = checks if isinstance(checks, dict) else {"server": str(error)}
            return Readiness(ready=False, checks=parts)
