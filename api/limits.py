"""What bodies may ask of the server: how large each is, how slow, and how much all of them hold."""

import asyncio

from fastapi import status
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import path_of, problem
from core.indexing.maintenance import malloc

LEAST_RATE = 16 * 1024
"""Bytes a second, below which a body is too slow in the long run."""

MAX_PATH_BYTES = 2 * 1024
"""The bound of a path without its query; an id has at most 128 bytes."""

GIVEN_BACK_BYTES = 1024 * 1024
"""From which size on the memory of a body is given back to the system at once."""

CLOSE = {"Connection": "close"}
"""With an answer before a body's end: the rest would be taken for the next request."""


class BodyLimits:
    """Refuses by `Content-Length` at once, and what comes in chunks as soon as it is too much.

    `max_held_bytes`: of all bodies that are read or worked on, together. `patience_s`: for how
    long a body may come at less than `LEAST_RATE`.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int, max_held_bytes: int, patience_s: float
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_held_bytes = max_held_bytes
        self._patience_s = patience_s
        self._held_bytes = 0
        self._too_large = f"A body has at most {max_bytes} bytes."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif len(scope.get("raw_path") or b"") > MAX_PATH_BYTES:
            response = problem(
                status.HTTP_414_URI_TOO_LONG,
                f"A path has at most {MAX_PATH_BYTES} bytes.",
                instance=path_of(scope),
                headers=CLOSE,
            )
            await response(scope, receive, send)
        elif _declared_bytes(scope) > self._max_bytes:
            response = problem(
                status.HTTP_413_CONTENT_TOO_LARGE,
                self._too_large,
                instance=path_of(scope),
                headers=CLOSE,
            )
            await response(scope, receive, send)
        else:
            body = _Body(receive, self._patience_s)
            try:
                await self._app(scope, lambda: self._next_of(body), send)
            finally:
                self._held_bytes -= body.received_bytes
                if body.received_bytes > GIVEN_BACK_BYTES:
                    asyncio.get_running_loop().run_in_executor(None, malloc.trim)

    async def _next_of(self, body: "_Body") -> Message:
        """
        Raises:
            HTTPException: 408, 413 or 503.
        """
        message = await body.receive()
        self._held_bytes += len(message.get("body", b""))
        if body.received_bytes > self._max_bytes:
            raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, self._too_large, CLOSE)
        if self._held_bytes > self._max_held_bytes:
            raise HTTPException(
                status.HTTP_503_SERVICE_UNAVAILABLE,
                "Too many bytes of other requests are being worked on.",
                {**CLOSE, "Retry-After": "1"},
            )
        return message


class _Body:
    def __init__(self, receive: Receive, patience_s: float) -> None:
        self.received_bytes = 0
        self._receive = receive
        self._complete = False
        self._began_s = asyncio.get_running_loop().time()
        self._patience_s = patience_s

    async def receive(self) -> Message:
        """
        Raises:
            HTTPException: 408, it comes too slowly.
        """
        if self._complete:  # what comes now says that the client has gone, and may take long
            return await self._receive()
        allowed_s = self._patience_s + self.received_bytes / LEAST_RATE
        try:
            async with asyncio.timeout_at(self._began_s + allowed_s):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(
                status.HTTP_408_REQUEST_TIMEOUT, "The body came too slowly.", CLOSE
            ) from None
        self.received_bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message


def _declared_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0
