"""Transport: retries on other nodes, errors as exceptions, the session's position."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import replace
from typing import Self, TypeVar

import httpx
from pydantic import BaseModel

from nalanda._addresses import leader_in, redirect_of
from nalanda._answers import page_of, parse_body
from nalanda._async.node import STREAM_SILENCE_S, Node
from nalanda._consistency import (
    CONSISTENCY,
    Consistency,
    Session,
    check_consistency,
    position_of,
    read_headers,
)
from nalanda._errors import ConnectionFailed, NalandaError, TimedOut, api_error
from nalanda._nodes import Nodes, Route
from nalanda._requests import INSTANCE, Request, check_header, query_of

MAX_RETRIES = 3
"""Retries of a call to the only node."""

MAX_REDIRECTS = 3
PROBE_S = 5.0

M = TypeVar("M", bound=BaseModel)


class Transport:
    """A sender of requests to the nodes of a database; `timeout_s` bounds a call with its retries.

    `max_retries` is `None` for the default: `MAX_RETRIES` with one node, else no bound but the
    time, which has to outlast the election of a leader.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        api_key: str | None,
        timeout_s: float,
        max_retries: int | None,
        instance_id: str | None,
        consistency: Consistency,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        check_consistency(consistency)
        self._headers = {}
        if api_key:
            self._headers["Authorization"] = f"Bearer {check_header('api_key', api_key)}"
        if instance_id is not None:
            self._headers[INSTANCE] = check_header("instance_id", instance_id)
        self._transport = transport
        self._nodes = Nodes(addresses)
        self._connections = {each: self._connect(each) for each in addresses}
        self.consistency = consistency
        self._timeout_s = timeout_s
        if max_retries is None and len(self._connections) == 1:
            max_retries = MAX_RETRIES
        self._max_retries = max_retries
        self.session = Session()

    def with_consistency(self, consistency: Consistency) -> Self:
        """Return a transport over the same connections and session.

        Raises:
            InvalidValue: there is no such consistency.
        """
        check_consistency(consistency)
        other = copy(self)
        other.consistency = consistency
        return other

    async def aclose(self) -> None:
        for node in self._connections.values():
            await node.aclose()

    async def send(self, request: Request) -> httpx.Response:
        """Return the successful response, with retries where they are safe.

        Raises:
            InvalidValue, InvalidType: the body has no JSON form; nothing was sent.
            PositionLost: the record went back behind what the session has seen.
            NalandaError: the request failed.
        """
        content = request.content()
        retries = self._max_retries if request.repeatable else 0
        route = Route(self._nodes, request, timeout_s=self._timeout_s, max_retries=retries)
        while True:
            node = self._connection(route.next_node())
            try:
                response = await node.request(self._in_session(request), content, route.timeout_s)
                leader = redirect_of(response, node.address)
                if leader is None:
                    await self._check(response, node, route)
                    return response
                if route.redirect(leader):
                    continue
                raise ConnectionFailed(f"{node.address} redirects to {leader}, which has failed.")
            except NalandaError as error:
                delay = route.delay_s(error)
                if delay is None:
                    route.explain(error)
                    raise
            if delay:
                await asyncio.sleep(delay)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[httpx.Response]:
        """Open a streamed response, without retries; the next call takes another node.

        Raises:
            NalandaError: the request failed, or the response was interrupted.
        """
        address = self._nodes.choose(for_leader=request.is_for_leader)
        try:
            for _ in range(MAX_REDIRECTS):
                node = self._connection(address)
                async with node.stream(request) as response:
                    leader = redirect_of(response, address)
                    if leader is None:
                        if not response.is_success:
                            await response.aread()
                            raise api_error(response, node.proxy)
                        yield response
                        return
                self._nodes.learn_leader(leader)
                address = leader
            raise ConnectionFailed(f"{address} redirects in a circle.")
        except NalandaError as error:
            silence_s = STREAM_SILENCE_S if isinstance(error, TimedOut) else 0.0
            self._nodes.report_failure(address, error, silence_s)
            raise

    async def fetch(self, model: type[M], request: Request) -> M:
        """Return the response's body as a model."""
        return parse_body(model, await self.send(request))

    async def pages(self, model: type[M], request: Request) -> AsyncIterator[M]:
        """Yield the items of a listing, and fetch each page on demand."""
        cursor = None
        while True:
            response = await self.send(request.at_cursor(cursor))
            items, cursor = page_of(model, response)
            for item in items:
                yield item
            if cursor is None:
                return

    def _connect(self, address: str) -> Node:
        return Node(address, self._headers, self._transport)

    def _connection(self, address: str) -> Node:
        """Return the node at an address, which may be one that a follower has named."""
        node = self._connections.get(address)
        return node or self._connections.setdefault(address, self._connect(address))

    def _in_session(self, request: Request) -> Request:
        """Return the request with what it has to see, if it reads."""
        if request.is_for_leader:
            return request
        headers = read_headers(request.headers, self.consistency, self.session.position)
        return replace(request, headers=headers)

    async def _check(self, response: httpx.Response, node: Node, route: Route) -> None:
        """Learn from a response.

        Raises:
            PositionLost: the record went back behind what the session has seen.
            ApiError: the response is none of success.
        """
        self.session.see(response)
        if response.is_success:
            self._nodes.report_success(node.address)
            leader = leader_in(response)
            if leader in self._nodes.addresses:
                self._nodes.learn_leader(leader)
            return
        if self.session.is_ahead_of(response) and not route.has_checked_record:
            route.has_checked_record = True
            await self._check_record(node, min(PROBE_S, route.timeout_s))
        raise api_error(response, node.proxy)

    async def _check_record(self, behind: Node, timeout_s: float) -> None:
        """Ask for the record's position, which a node behind the session may lack.

        Raises:
            PositionLost: the record is behind the session too.
        """
        address = self._nodes.choose(for_leader=True, tried=[behind.address])
        strong = Request("GET", "/libraries", query_of(limit=1), headers={CONSISTENCY: "strong"})
        try:
            response = await self._connection(address).request(strong, None, timeout_s)
        except NalandaError:
            return
        recorded = position_of(response)
        if response.is_success and recorded is not None:
            self.session.begin_again(recorded)
