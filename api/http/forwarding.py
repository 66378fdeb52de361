"""Requests that a process passes on to the one that writes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

import httpx
from fastapi import Response, status
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.errors import path_of, problem
from core.tracing.spans import trace_headers

MARK = b"nalanda-forwarded"
"""The header of a request that a node has passed on; its value counts the nodes."""

MAX_HOPS = 3
"""A node that hands over passes requests on, and gets one back that the next node can't take. A
library may have left the node to which a read of it is passed on."""

CONNECT_S = 2.0
IDLE_S = 2.0
"""The time that an idle connection is kept: less than the server keeps its end."""

_INSTANCE = b"nalanda-instance"
_LOOK_S = 0.25
"""The time between two looks whether a node that has not responded still lives."""

_OF_CONNECTION = frozenset(
    {b"connection", b"expect", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
"""Headers of one connection, which are not passed on."""
_OF_SERVER = _OF_CONNECTION | {b"date", b"server"}

_NO_WRITER = "The process that writes does not answer. Retry after the seconds in Retry-After."


class Connections:
    """Kept connections to other processes, over which requests are passed on.

    The other process checks a request as if the client had connected to it.
    """

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=None, keepalive_expiry=IDLE_S),
            trust_env=False,
        )
        self.requests = 0
        """The requests that another process has taken."""

    async def close(self) -> None:
        await self._client.aclose()

    async def request(
        self, url: str, scope: Scope, receive: Receive, headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> httpx.Response:
        """Send a request with more `headers`, and return the response, whose body is to be read.

        Raises:
            httpx.TransportError: no process answers there.
            httpx.InvalidURL: `url` is none.
        """
        traced = [(name.encode(), value.encode()) for name, value in trace_headers().items()]
        headers = [*headers, *traced]
        replaced = _OF_CONNECTION | {name for name, _ in headers}
        own = [(name, value) for name, value in scope["headers"] if name not in replaced]
        request = httpx.Request(
            scope["method"],
            httpx.URL(url).copy_with(raw_path=target_of(scope)),
            headers=[*own, *headers],
            content=_body(receive) if _has_body(scope) else None,
        )
        response = await self._client.send(request, stream=True)
        self.requests += 1
        return response

    async def respond(
        self,
        response: httpx.Response,
        receive: Receive,
        send: Send,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        """Pass a response back with more `headers`, until its end or until the client leaves."""
        try:
            copying = asyncio.create_task(_copy(response, send, headers))
            leaving = asyncio.create_task(_wait_for_disconnect(receive))
            await asyncio.wait({copying, leaving}, return_when=asyncio.FIRST_COMPLETED)
            leaving.cancel()
            if not copying.done():
                copying.cancel()
            else:
                copying.result()
        finally:
            await response.aclose()


class Writer:
    """The process that writes, at `url`, on the machine of this one, which is a reader."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connections = Connections()

    async def close(self) -> None:
        await self._connections.close()

    @property
    def forwarded(self) -> int:
        return self._connections.requests

    async def respond(self, _: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its response back; 503 if the writer does not answer."""
        try:
            response = await self._connections.request(self._url, scope, receive)
        except httpx.TransportError:
            await unavailable(_NO_WRITER, scope)(scope, receive, send)
        else:
            await self._connections.respond(response, receive, send)


def unavailable(detail: str, scope: Scope) -> Response:
    """Build the response to a request that is to be sent again soon."""
    return problem(
        status.HTTP_503_SERVICE_UNAVAILABLE,
        detail,
        instance=path_of(scope),
        headers={"Retry-After": "1"},
    )


def redirect_to(url: str, scope: Scope) -> Response:
    """Build the response that sends a client to another node."""
    location = url.rstrip("/") + target_of(scope).decode("latin-1")
    return Response(status_code=status.HTTP_307_TEMPORARY_REDIRECT, headers={"Location": location})


def hops_of(scope: Scope) -> int:
    """Return how many nodes have passed a request on; a value that is none counts as the most."""
    values = [value for name, value in scope["headers"] if name == MARK]
    if not values:
        return 0
    return int(values[-1]) if values[-1].isdigit() else MAX_HOPS


def marks_of(scope: Scope, instance_id: str) -> list[tuple[bytes, bytes]]:
    """Return the headers that are added to a request that goes to another node."""
    headers = [(MARK, str(hops_of(scope) + 1).encode())]
    if not any(name == _INSTANCE for name, _ in scope["headers"]):
        headers.append((_INSTANCE, instance_id.encode()))
    return headers


async def wait_while(
    holds: Callable[[], bool], request: Coroutine[Any, Any, httpx.Response]
) -> httpx.Response | None:
    """Return the response to a request; `None` once the condition no longer holds.

    Raises:
        httpx.TransportError: the node does not answer.
    """
    sending = asyncio.ensure_future(request)
    try:
        while holds():
            done, _ = await asyncio.wait({sending}, timeout=_LOOK_S)
            if done:
                return sending.result()
    finally:
        sending.cancel()
    return None


def again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a whole body first."""
    unread = [body]

    async def receive_again() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    return receive_again


def target_of(scope: Scope) -> bytes:
    """Return a request's path and query, as the client wrote them."""
    path: bytes = scope["raw_path"]
    return path + b"?" + scope["query_string"] if scope["query_string"] else path


def _has_body(scope: Scope) -> bool:
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"])


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise httpx.WriteError("The client has disconnected.")
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _copy(
    response: httpx.Response, send: Send, headers: Sequence[tuple[bytes, bytes]]
) -> None:
    own = [(name.lower(), value) for name, value in response.headers.raw]
    end_to_end = [*((name, value) for name, value in own if name not in _OF_SERVER), *headers]
    await send(
        {"type": "http.response.start", "status": response.status_code, "headers": end_to_end}
    )
    async for piece in response.aiter_raw():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
