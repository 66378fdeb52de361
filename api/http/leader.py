"""Requests that the leader responds to: this node, or another one, wherever it is."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import httpx
from fastapi import FastAPI, Request, Response, status
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.errors import of_nalanda
from api.http.forwarding import Connections, target_of, unavailable
from core.bootstrap import Core
from core.domain.errors import NotLeading
from core.settings import Settings

MARK = b"nalanda-forwarded"
"""The header of a request that a node has passed on; its value counts the nodes."""

MAX_HOPS = 3
"""A node that hands over passes requests on, and gets one back that the next node can't take."""

_BODY = "nalanda.body"
"""The key in a scope of the body of a request that this node may still pass on."""

_ADDRESS = b"nalanda-leader"
"""The header of a response that a follower passes back: the leader's address."""

_INSTANCE = b"nalanda-instance"
_LOOK_S = 0.25
"""The time between two looks whether a node that has not responded still lives."""
_POLL_S = 0.02
"""The time between two looks which node leads."""

_UNREACHED = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
"""Errors before anything of a request is sent, and of its body is read."""

_NO_LEADER = "No node leads at present. Retry after the seconds in Retry-After."
_TOO_MANY_HOPS = (
    "Nodes have passed this request on {} times, and this node does not lead either. Retry after "
    "the seconds in Retry-After."
)
_UNREACHABLE = "The leader at {} can't be reached. Retry after the seconds in Retry-After."
_SILENT = (
    "The leader at {} ended the connection without an answer. It may have done what the request "
    "asks for. Retry after the seconds in Retry-After."
)
_DEPOSED = (
    "The node at {} did not answer before it ceased to lead. It may have done what the request "
    "asks for. Retry after the seconds in Retry-After."
)
_OTHER_DATABASE = "The server at {}, which the leader's address names, has another database."


class Election(Protocol):
    """The leader as this node knows it; see `core.cluster.status.Cluster`."""

    @property
    def leads(self) -> bool: ...
    @property
    def leader_url(self) -> str | None: ...
    def is_alive(self, url: str) -> bool: ...


class Leader:
    """The node that leads: this one, or another over kept connections, or by a redirect.

    While none leads, requests wait up to `wait_s`. `instance_id` returns that of the database.
    """

    def __init__(
        self,
        election: Election,
        *,
        instance_id: Callable[[], str],
        wait_s: float,
        redirects: bool = False,
    ) -> None:
        self._election = election
        self._instance_id = instance_id
        self._wait_s = wait_s
        self._redirects = redirects
        self._connections = Connections()

    @property
    def forwarded(self) -> int:
        """Return the number of requests that this node has passed on."""
        return self._connections.requests

    async def close(self) -> None:
        await self._connections.close()

    async def respond(self, here: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the leader respond to a request; this node does so by `here`. 503 if none does.

        A write that this node refuses because it has ceased to lead has changed nothing, so it
        goes to the next leader.
        """
        deadline_s = time.monotonic() + self._wait_s
        while True:
            problem = _NO_LEADER
            if self._election.leads:
                scope[_BODY] = None
                await here(scope, receive, send)
                body = scope.pop(_BODY)
                if body is None:
                    return
                receive = _again(body, receive)
            elif (url := self._election.leader_url) is not None:
                unreachable = await self._forward(url, scope, receive, send)
                if unreachable is None:
                    return
                problem = unreachable
            if time.monotonic() >= deadline_s:
                await unavailable(problem, scope)(scope, receive, send)
                return
            await asyncio.sleep(_POLL_S)

    async def _forward(self, url: str, scope: Scope, receive: Receive, send: Send) -> str | None:
        """Send the response of the node at a URL; return why it can't be reached, if so."""
        hops = _hops(scope)
        if hops >= MAX_HOPS:
            await unavailable(_TOO_MANY_HOPS.format(hops), scope)(scope, receive, send)
        elif self._redirects:
            location = url.rstrip("/") + target_of(scope).decode("latin-1")
            redirect = Response(
                status_code=status.HTTP_307_TEMPORARY_REDIRECT, headers={"Location": location}
            )
            await redirect(scope, receive, send)
        else:
            headers = [(MARK, str(hops + 1).encode())]
            if not _has(scope, _INSTANCE):
                headers.append((_INSTANCE, self._instance_id().encode()))
            request = self._connections.request(url, scope, receive, headers)
            return await self._pass_on(url, request, scope, receive, send)
        return None

    async def _pass_on(
        self,
        url: str,
        request: Coroutine[Any, Any, httpx.Response],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> str | None:
        try:
            response = await self._while_alive(url, request)
        except _UNREACHED:
            return _UNREACHABLE.format(url)
        except httpx.TransportError:
            await unavailable(_SILENT.format(url), scope)(scope, receive, send)
            return None
        if response is None:
            await unavailable(_DEPOSED.format(url), scope)(scope, receive, send)
        elif response.status_code == status.HTTP_421_MISDIRECTED_REQUEST:
            await response.aclose()
            await unavailable(_OTHER_DATABASE.format(url), scope)(scope, receive, send)
        else:
            named = [] if _ADDRESS.decode() in response.headers else [(_ADDRESS, url.encode())]
            await self._connections.respond(response, receive, send, named)
        return None

    async def _while_alive(
        self, url: str, request: Coroutine[Any, Any, httpx.Response]
    ) -> httpx.Response | None:
        """Return the response; `None` if another node leads, and the one at the URL is gone.

        Raises:
            httpx.TransportError: the node does not answer.
        """
        sending = asyncio.ensure_future(request)
        try:
            while self._election.leader_url == url or self._election.is_alive(url):
                done, _ = await asyncio.wait({sending}, timeout=_LOOK_S)
                if done:
                    return sending.result()
        finally:
            sending.cancel()
        return None


def leader_of(core: Core, settings: Settings) -> Leader | None:
    """Return the leader of a node's cluster; `None` if the node always leads."""
    if settings.database_url is None:
        return None
    return Leader(
        core.cluster,
        instance_id=lambda: core.store.instance_id,
        wait_s=settings.leader_wait_s,
        redirects=settings.forward == "redirect",
    )


def install(app: FastAPI) -> None:
    """Register the handler of `NotLeading`, which gives a request back to `Leader.respond`."""
    app.add_exception_handler(NotLeading, _keep_for_leader)


async def _keep_for_leader(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotLeading)
    if _BODY in request.scope:
        try:
            request.scope[_BODY] = await request.body()
        except (RuntimeError, ClientDisconnect):  # a stream, which has been consumed
            pass
        else:
            return _Unsent()
    return await of_nalanda(request, error)


class _Unsent(Response):
    """A response of which nothing is sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pass


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a whole body first."""
    unread = [body]

    async def receive_again() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    return receive_again


def _has(scope: Scope, name: bytes) -> bool:
    return any(each == name for each, _ in scope["headers"])


def _hops(scope: Scope) -> int:
    """Return how many nodes have passed a request on; a value that is none counts as the most."""
    values = [value for name, value in scope["headers"] if name == MARK]
    if not values:
        return 0
    return int(values[-1]) if values[-1].isdigit() else MAX_HOPS
