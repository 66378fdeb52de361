"""Limits on request bodies: size, transfer rate, and total memory."""

import asyncio

from fastapi import status
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.errors import path_of, problem
from core.indexing.maintenance import malloc

LEAST_RATE = 16 * 1024
"""Minimum transfer rate of a body, in bytes per second, beyond the initial patience."""

MAX_PATH_BYTES = 2 * 1024
"""Limit of a path without its query; an id has at most 128 bytes."""

GIVEN_BACK_BYTES = 1024 * 1024
"""Size from which the memory of a body returns to the system at once."""

CLOSE = {"Connection": "close"}
"""Header of a response sent before the end of a body, whose rest would parse as a request."""


class BodyLimits:
    """Middleware that refuses a body by `Content-Length`, or a chunked body at the first excess
    byte.

    `max_held_bytes` limits the total size of bodies in reading or processing. `patience_s`: how
    long a body may arrive at less than `LEAST_RATE`.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int, max_held_bytes: int, patience_s: float
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_held_bytes = max_held_bytes
        self._patience_s = patience_s
        self._held_bytes = 0
        self._too_large = f"A body must have at most {max_bytes} bytes."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif len(scope.get("raw_path") or b"") > MAX_PATH_BYTES:
            response = problem(
                status.HTTP_414_URI_TOO_LONG,
                f"A path must have at most {MAX_PATH_BYTES} bytes.",
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
        """Receive the next message of a body within the limits.

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
                "The bodies of concurrent requests hold too much memory. Retry later.",
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
        """Receive the next message, within the time that its transfer rate allows.

        Raises:
            HTTPException: 408, the body arrives too slowly.
        """
        if self._complete:  # the next message is the disconnect, whenever the client closes
            return await self._receive()
        allowed_s = self._patience_s + self.received_bytes / LEAST_RATE
        try:
            async with asyncio.timeout_at(self._began_s + allowed_s):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(
                status.HTTP_408_REQUEST_TIMEOUT, "The body arrived too slowly.", CLOSE
            ) from None
        self.received_bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message


def _declared_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0
