"""The fast path of `POST /libraries/{library_id}/search`, for ordinary searches by vector.

Routing, dependencies and the validation of a model take longer than such a search. The middleware
that replaces them is the innermost one, so a request has passed all checks of the others. It
answers only with 200. A request with anything unusual, or with an error, goes to the route, which
then reads the same body: so there is one place that says what an error looks like.
"""

from collections import deque

from fastapi import status
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.bodies.json import SCANNED_BYTES
from api.searches.ordinary import ordinary_search
from api.searches.passed import PassedSearches


class FastSearch:
    """Middleware that answers ordinary searches; all others are those of `route`."""

    def __init__(self, app: ASGIApp, route: BaseRoute, passed: PassedSearches) -> None:
        self._app = app
        self._route = route
        self._passed = passed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        search = ordinary_search(scope)
        if search is None:
            await self._app(scope, receive, send)
            return
        read = _ReadBody(receive)
        body = await read.whole()
        answer = None if body is None else search.answer(body)
        if answer is None:
            await self._app(scope, read.receive, send)
            return
        self._passed.add(scope["raw_path"], scope["headers"], search)
        scope["route"] = self._route  # for the label of the metrics
        code, headers = status.HTTP_200_OK, answer.headers
        await send({"type": "http.response.start", "status": code, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})


class _ReadBody:
    """The body of a request as far as it has been read; `receive` gives the same messages again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._received: deque[Message | HTTPException] = deque()

    async def whole(self) -> bytes | None:
        """Return the body, or `None` if it is large, incomplete or refused."""
        body = b""
        more = True
        while more and len(body) <= SCANNED_BYTES:
            try:
                message = await self._receive()
            except HTTPException as refusal:
                self._received.append(refusal)
                return None
            self._received.append(message)
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return body if len(body) <= SCANNED_BYTES else None

    async def receive(self) -> Message:
        """Return the next message, or raise the refusal that came in its place.

        Raises:
            HTTPException: a limit on bodies.
        """
        if not self._received:
            return await self._receive()
        received = self._received.popleft()
        if isinstance(received, HTTPException):
            raise received
        return received
