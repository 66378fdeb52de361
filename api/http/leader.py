"""Requests that the leader responds to: this node, or another one, wherever it is."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

import httpx
from fastapi import FastAPI, Request, Response, status
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.errors import of_nalanda
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
from api.http.holders import Holders, PassedOn
from core.bootstrap import Core
from core.domain.errors import NotHeld, NotLeading
from core.settings import Settings

_BODY = "nalanda.body"
"""The key in a scope of the body of a request that this node may still pass on."""

_ADDRESS = b"nalanda-leader"
"""The header of a response that a follower passes back: the leader's address."""

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
    def holders_of(self, library_id: str) -> Sequence[str]: ...


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
        self.holders = Holders(
            election, self._connections, instance_id, wait_s=wait_s, redirects=redirects
        )
        """The nodes that have the libraries which this node does not hold."""

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
                receive = again(body, receive)
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
        hops = hops_of(scope)
        if hops >= MAX_HOPS:
            await unavailable(_TOO_MANY_HOPS.format(hops), scope)(scope, receive, send)
        elif self._redirects:
            await redirect_to(url, scope)(scope, receive, send)
        else:
            headers = marks_of(scope, self._instance_id())
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
            response = await wait_while(lambda: self._may_answer(url), request)
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

    def _may_answer(self, url: str) -> bool:
        """Return whether no other node leads, or the one at the URL still lives."""
        return self._election.leader_url == url or self._election.is_alive(url)


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
    """Register the handlers of errors after which another node has to respond.

    That of `NotLeading` gives the request back to `Leader.respond`.
    """
    app.add_exception_handler(NotLeading, _keep_for_leader)
    app.add_exception_handler(NotHeld, _pass_to_holder)


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


async def _pass_to_holder(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotHeld)
    leader = request.app.state.writer
    if not isinstance(leader, Leader):
        return await of_nalanda(request, error)
    return PassedOn(leader.holders, error.library_id, await request.body())


class _Unsent(Response):
    """A response of which nothing is sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pass
