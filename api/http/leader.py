"""Requests that a follower passes on to the leader, wherever the leader is."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
from fastapi import Response, status
from starlette.types import Receive, Scope, Send

from api.http.forwarding import Connections, target_of, unavailable
from core.bootstrap import Core
from core.settings import Settings

MARK = b"nalanda-forwarded"
"""The header of a request that a follower has passed on; no other follower passes it on again."""

_ADDRESS = b"nalanda-leader"
"""The header of a response that a follower passes back: the leader's address."""

_INSTANCE = b"nalanda-instance"
_LOOK_S = 0.25
"""The time between two looks whether a node that has not responded still leads."""

_NO_LEADER = "No node leads at present. Retry after the seconds in Retry-After."
_NOT_LEADING = (
    "A follower passed this request on to this node, which does not lead either. Retry after the "
    "seconds in Retry-After."
)
_SILENT = "The leader at {} does not answer. Retry after the seconds in Retry-After."
_DEPOSED = (
    "The node at {} did not answer before it ceased to lead. It may have done what the request "
    "asks for. Retry after the seconds in Retry-After."
)
_OTHER_DATABASE = "The server at {}, which the leader's address names, has another database."


class Leader:
    """The node that leads, over kept connections, or by a redirect if it `redirects`.

    `address` returns the leader's URL, or `None` while no other node leads. `follows` returns
    whether this node follows now. `instance_id` returns that of the database.
    """

    def __init__(
        self,
        address: Callable[[], str | None],
        *,
        follows: Callable[[], bool],
        instance_id: Callable[[], str],
        redirects: bool = False,
    ) -> None:
        self._address = address
        self._follows = follows
        self._instance_id = instance_id
        self._redirects = redirects
        self._connections = Connections()

    @property
    def forwards(self) -> bool:
        return self._follows()

    async def close(self) -> None:
        await self._connections.close()

    async def forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its response back; 503 if no leader answers."""
        address = self._address()
        if _has(scope, MARK):
            await unavailable(_NOT_LEADING, scope)(scope, receive, send)
        elif address is None:
            await unavailable(_NO_LEADER, scope)(scope, receive, send)
        elif self._redirects:
            location = address.rstrip("/") + target_of(scope).decode("latin-1")
            redirect = Response(
                status_code=status.HTTP_307_TEMPORARY_REDIRECT, headers={"Location": location}
            )
            await redirect(scope, receive, send)
        else:
            await self._pass_on(address, scope, receive, send)

    async def _pass_on(self, address: str, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(MARK, b"1")]
        if not _has(scope, _INSTANCE):
            headers.append((_INSTANCE, self._instance_id().encode()))
        try:
            request = self._connections.request(address, scope, receive, headers)
            response = await self._while_leading(address, request)
        except (httpx.TransportError, httpx.InvalidURL):
            await unavailable(_SILENT.format(address), scope)(scope, receive, send)
            return
        if response is None:
            await unavailable(_DEPOSED.format(address), scope)(scope, receive, send)
        elif response.status_code == status.HTTP_421_MISDIRECTED_REQUEST:
            await response.aclose()
            await unavailable(_OTHER_DATABASE.format(address), scope)(scope, receive, send)
        else:
            named = [(_ADDRESS, address.encode())]
            await self._connections.respond(response, receive, send, named)

    async def _while_leading(
        self, address: str, request: Coroutine[Any, Any, httpx.Response]
    ) -> httpx.Response | None:
        """Return the response; `None` if the node at the address ceases to lead before.

        Raises:
            httpx.TransportError: the node does not answer.
        """
        sending = asyncio.ensure_future(request)
        try:
            while self._address() == address:
                done, _ = await asyncio.wait({sending}, timeout=_LOOK_S)
                if done:
                    return sending.result()
        finally:
            sending.cancel()
        return None


def leader_of(core: Core, settings: Settings) -> Leader | None:
    """Return the leader that a node passes requests on to; `None` if the node always leads."""
    if settings.database_url is None:
        return None

    def address() -> str | None:
        status = core.cluster.status()
        leader = status.leader
        return None if leader is None or leader.node_id == status.node_id else leader.address

    return Leader(
        address,
        follows=lambda: not core.cluster.leads,
        instance_id=lambda: core.store.instance_id,
        redirects=settings.forward == "redirect",
    )


def _has(scope: Scope, name: bytes) -> bool:
    return any(each == name for each, _ in scope["headers"])
