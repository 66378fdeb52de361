"""Reads of libraries that this node does not hold, which another node responds to."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import httpx
from fastapi import Response, status
from starlette.types import Receive, Scope, Send

from api.http.forwarding import (
    MAX_HOPS,
    Connections,
    again,
    hops_of,
    marks_of,
    redirect_to,
    unavailable,
    wait_while,
)

_POLL_S = 0.02
"""The time between two looks which nodes hold a library."""

_NOT_TAKEN = frozenset({status.HTTP_421_MISDIRECTED_REQUEST, status.HTTP_503_SERVICE_UNAVAILABLE})
"""Responses after which the next node is asked: another database, or not now."""

_NO_HOLDER = (
    "This node does not hold the library, and no node that does answers in time. Retry after the "
    "seconds in Retry-After."
)
_TOO_MANY_HOPS = (
    "Nodes have passed this request on {} times, and this node does not hold the library either. "
    "Retry after the seconds in Retry-After."
)


class Nodes(Protocol):
    """The nodes as this node knows them; see `core.cluster.status.Cluster`."""

    def holders_of(self, library_id: str) -> Sequence[str]: ...
    def is_alive(self, url: str) -> bool: ...


class Holders:
    """The nodes that hold the libraries which this node does not, over kept connections.

    While none answers, requests wait up to `wait_s`. `instance_id` returns that of the database.
    """

    def __init__(
        self,
        nodes: Nodes,
        connections: Connections,
        instance_id: Callable[[], str],
        *,
        wait_s: float,
        redirects: bool,
    ) -> None:
        self._nodes = nodes
        self._connections = connections
        self._instance_id = instance_id
        self._wait_s = wait_s
        self._redirects = redirects

    async def respond(
        self, library_id: str, body: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let a node that holds the library respond to a read; 503 if none does.

        A read changes nothing, so the next node is asked where one does not answer.
        """
        hops = hops_of(scope)
        if hops >= MAX_HOPS:
            await unavailable(_TOO_MANY_HOPS.format(hops), scope)(scope, receive, send)
            return
        deadline_s = time.monotonic() + self._wait_s
        while True:
            for url in self._nodes.holders_of(library_id):
                if self._redirects:
                    await redirect_to(url, scope)(scope, receive, send)
                    return
                response = await self._ask(url, body, scope, receive)
                if response is not None:
                    await self._connections.respond(response, receive, send)
                    return
            if time.monotonic() >= deadline_s:
                await unavailable(_NO_HOLDER, scope)(scope, receive, send)
                return
            await asyncio.sleep(_POLL_S)

    async def _ask(
        self, url: str, body: bytes, scope: Scope, receive: Receive
    ) -> httpx.Response | None:
        """Return the response of the node at a URL; `None` if it does not take the request."""
        headers = marks_of(scope, self._instance_id())
        request = self._connections.request(url, scope, again(body, receive), headers)
        try:
            response = await wait_while(lambda: self._nodes.is_alive(url), request)
        except (httpx.TransportError, httpx.InvalidURL):
            return None
        if response is not None and response.status_code in _NOT_TAKEN:
            await response.aclose()
            return None
        return response


class PassedOn(Response):
    """The response of a node that holds a library, which this node does not."""

    def __init__(self, holders: Holders, library_id: str, body: bytes) -> None:
        super().__init__()
        self._holders = holders
        self._library_id = library_id
        self._read = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._holders.respond(self._library_id, self._read, scope, receive, send)
