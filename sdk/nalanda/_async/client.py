"""The client itself."""

import os
from collections.abc import Iterable
from types import TracebackType
from typing import Self, Unpack

import httpx
from pydantic import BaseModel

from nalanda._async.chunks import Chunks
from nalanda._async.documents import Documents
from nalanda._async.index import Indexes
from nalanda._async.libraries import Libraries
from nalanda._async.queries import Queries
from nalanda._async.transport import Transport
from nalanda._errors import QueryFailed, UnavailableError
from nalanda._models import QueryResult, Readiness, SearchResult, Version
from nalanda._options import QueryOptions, SearchOptions, listed, said
from nalanda._requests import Request, at_least, path_of

DEFAULT_URL = "http://127.0.0.1:8000"


class Searched(BaseModel):
    results: list[SearchResult]


class AsyncNalanda:
    """A client of one Nalanda server; use it as a context manager, or close it.

    Without `base_url`, the server is the environment's `NALANDA_API_URL`, else the one of this
    machine. A call takes at most `timeout_s` with its retries, `max_retries` of them at most,
    which it makes when the server was not reached or said that it will be back. With `instance_id`,
    which `version()` shows, a server of another instance refuses each call with an `ApiError` of
    status 421. `transport`
    is httpx's, for servers that are reached in another way.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        timeout_s: float = 30.0,
        max_retries: int = 3,
        instance_id: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._transport = Transport(
            base_url or os.environ.get("NALANDA_API_URL") or DEFAULT_URL,
            api_key=api_key,
            timeout_s=timeout_s,
            max_retries=max_retries,
            instance_id=instance_id,
            transport=transport,
        )
        self.libraries = Libraries(self._transport)
        self.documents = Documents(self._transport)
        self.chunks = Chunks(self._transport)
        self.index = Indexes(self._transport)
        self.queries = Queries(self._transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._transport.aclose()

    @property
    def position(self) -> int:
        """The highest position that an answer carried; give it as `min_position` to see it."""
        return self._transport.position.value

    async def search(
        self,
        library: str,
        *,
        min_position: int | None = None,
        **search: Unpack[SearchOptions],
    ) -> SearchResult:
        """The `k` nearest chunks, of those that pass the filter.

        Raises:
            UnavailableError: the server has not reached `min_position`.
        """
        path = path_of("libraries", library, "search")
        headers = at_least(min_position)
        request = Request("POST", path, body=said(search), headers=headers)
        return await self._transport.fetch(SearchResult, request)

    async def search_batch(
        self,
        library: str,
        searches: Iterable[SearchOptions],
        *,
        min_position: int | None = None,
    ) -> list[SearchResult]:
        """Up to 100 searches at once; the results are in their order."""
        path = path_of("libraries", library, "search", "batch")
        body = {"searches": listed(searches, ("searches",))}
        request = Request("POST", path, body=body, headers=at_least(min_position))
        return (await self._transport.fetch(Searched, request)).results

    async def ask(
        self,
        library: str,
        query: str,
        *,
        timeout_s: float | None = 60.0,
        **options: Unpack[QueryOptions],
    ) -> QueryResult:
        """Start a question and wait for its answer.

        Raises:
            QueryFailed: it ended without one.
            TimedOut: it was not over in time. It goes on all the same; the error names it.
        """
        handle = await self.queries.start(library, query, **options)
        state = await self.queries.wait(handle.workflow_id, timeout_s=timeout_s)
        if state.status != "completed" or state.result is None:
            raise QueryFailed(state)
        return state.result

    async def version(self) -> Version:
        return await self._transport.fetch(Version, Request("GET", "/version"))

    async def ready(self) -> Readiness:
        """Whether the server takes requests, and how each of its parts is."""
        try:
            return await self._transport.fetch(
                Readiness, Request("GET", "/readyz", repeatable=False)
            )
        except UnavailableError as error:
            checks = error.problem.get("checks")
            parts = checks if isinstance(checks, dict) else {"server": str(error)}
            return Readiness(ready=False, checks=parts)
