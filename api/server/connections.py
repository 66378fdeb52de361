"""Limits on connections: how many are open, and how long a client may take to send and to receive.

uvicorn limits neither the headers of a request nor the time for which a response stays unread.
`api/middleware/limits.py` limits bodies.
"""

import asyncio

from fastapi import status
from starlette.types import Receive, Scope, Send

from api.http.errors import path_of, problem
from api.middleware.limits import CLOSE
from api.searches.passed import PassedSearches
from api.server.direct import DirectConnection
from api.server.protocol import Malformed
from api.server.slots import Slots

MAX_HEADER_BYTES = 64 * 1024
_REFUSED_PATIENCE_S = 1.0
_TOO_LONG = f"The headers of a request must have at most {MAX_HEADER_BYTES} bytes."


class BoundedConnection(DirectConnection):
    """A client's connection; a subclass sets the limits."""

    slots = Slots(1_000)
    patience_s = 20.0
    """Timeout for a request's complete headers, and for the client to read part of a response."""

    _headers_due: asyncio.TimerHandle | None = None
    _read_due: asyncio.TimerHandle | None = None
    _header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self.slots.acquire(self, self.client[0] if self.client else ""):
            self.app = _too_many_connections
            self.patience_s = min(self.patience_s, _REFUSED_PATIENCE_S)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self.slots.release(self)
        self._cancel_header_timeout()
        self._cancel_read_timeout()
        super().connection_lost(exc)

    def evict(self) -> None:
        """Close the connection without a response, as the client has sent no request."""
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        if not self.in_body:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._header_bytes > MAX_HEADER_BYTES and not self.in_body:
            self.refuse(_TOO_LONG)
        elif self._header_bytes and not self.transport.is_closing() and not self.answers_due:
            self._expect_headers()

    def refuse(self, detail: str) -> None:
        self._cancel_header_timeout()
        super().refuse(detail)

    def on_headers_complete(self) -> None:
        """Accept the headers, also those that arrive in a single read.

        Raises:
            Malformed: the headers are too long.
        """
        self._cancel_header_timeout()
        if sum(len(name) + len(value) for name, value in self.headers) > MAX_HEADER_BYTES:
            raise Malformed(_TOO_LONG)
        self.slots.protect(self)
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """Start the timeout for a client that does not read its response."""
        super().pause_writing()
        self._expect_read()

    def resume_writing(self) -> None:
        self._cancel_read_timeout()
        super().resume_writing()

    def _expect_headers(self) -> None:
        if self._headers_due is None:
            self._headers_due = self.loop.call_later(self.patience_s, self.transport.close)

    def _cancel_header_timeout(self) -> None:
        self._header_bytes = 0
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None

    def _expect_read(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._cancel_read_timeout()
        self._read_due = self.loop.call_later(self.patience_s, self._check_read, left)

    def _check_read(self, before_bytes: int) -> None:
        if self.transport.get_write_buffer_size() < before_bytes:
            self._expect_read()
        else:
            self.transport.abort()

    def _cancel_read_timeout(self) -> None:
        if self._read_due is not None:
            self._read_due.cancel()
            self._read_due = None


def bounded_connection(
    *, slots: Slots, patience_s: float, passed: PassedSearches | None = None
) -> type[BoundedConnection]:
    attributes = {"slots": slots, "patience_s": patience_s, "passed": passed}
    return type("Connection", (BoundedConnection,), attributes)


async def _too_many_connections(scope: Scope, receive: Receive, send: Send) -> None:
    response = problem(
        status.HTTP_503_SERVICE_UNAVAILABLE,
        "Too many connections are open, from this client or in total. Close some, or retry later.",
        instance=path_of(scope),
        headers={**CLOSE, "Retry-After": "1"},
    )
    await response(scope, receive, send)
