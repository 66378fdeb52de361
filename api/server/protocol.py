"""HTTP on one connection: uvicorn's protocol, with a problem document for malformed requests."""

import asyncio
import re

import httptools
from fastapi import status
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from api.http.errors import problem
from api.middleware.browsers import TARGET_HOST
from api.middleware.limits import CLOSE
from api.server.whole_responses import HeadWithBody

LINGER_S = 1.0
"""Time to discard input after a refusal, before closing. Closing with unread bytes would reset
the connection, and the client could lose the response."""

_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)(.*)", re.DOTALL)


class Malformed(Exception):
    """A request that the server cannot accept; the message gives the reason."""


class Connection(HttpToolsProtocol):
    """A connection that answers 400 to a malformed request, after the pending responses, and stops
    reading.
    """

    url = b""
    in_body = False
    """True while the headers of a request are complete and its body is not."""
    answers_due = 0
    """Number of accepted requests without a complete response."""

    _refusal: str | None = None
    """Detail of the problem document that is pending or sent."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(HeadWithBody(transport, self.loop))

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._refusal is not None:
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The request gets an HTTP/1.1 response; the parser reads nothing after the request.
            self.cycle.keep_alive = False
        except httptools.HttpParserError as error:
            self.refuse(_detail(error))

    def on_headers_complete(self) -> None:
        if not self.url.startswith(b"/"):
            self._take_target_host()
        super().on_headers_complete()
        self.in_body = True
        self.answers_due += 1

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.in_body = False
        self.url = b""

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.answers_due -= 1
        if self._refusal is not None and not self.answers_due:
            self._send_refusal(self._refusal)

    def refuse(self, detail: str) -> None:
        """Respond 400 after the pending responses, and read nothing more."""
        if self._refusal is not None:
            return
        self._refusal = detail
        if self.in_body and not self._give_up(self.cycle):
            self.transport.close()
        elif not self.answers_due:
            self._send_refusal(detail)

    def _give_up(self, cycle: RequestResponseCycle) -> bool:
        """Drop the request in progress; return False if its response has begun."""
        if cycle.response_started:
            return False
        self.answers_due -= 1
        if self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline.popleft()
        cycle.disconnected = cycle.response_complete = True
        cycle.message_event.set()
        return True

    def _take_target_host(self) -> None:
        """Keep the host of a target in absolute form, which uvicorn drops (RFC 9112, 3.2.2)."""
        target = _ABSOLUTE.fullmatch(self.url)
        if target is not None:
            self.scope["state"][TARGET_HOST] = target[1]
            self.url = target[2] if target[2].startswith(b"/") else b"/" + target[2]

    def _send_refusal(self, detail: str) -> None:
        if self.transport.is_closing():
            return
        path = self.url.partition(b"?")[0].decode("latin-1")
        response = problem(status.HTTP_400_BAD_REQUEST, detail, instance=path, headers=CLOSE)
        fields = [*self.server_state.default_headers, *response.raw_headers]
        head = b"".join(b"%s: %s\r\n" % field for field in fields)
        self.transport.write(
            b"%s%s\r\n%s" % (STATUS_LINE[response.status_code], head, response.body)
        )
        self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.close)


def _detail(error: httptools.HttpParserError) -> str:
    if isinstance(error.__context__, Malformed):
        return str(error.__context__)
    if isinstance(
        error, httptools.HttpParserCallbackError
    ):  # only the callback for the target can fail
        return "The request is not valid HTTP/1.1: Invalid target."
    return f"The request is not valid HTTP/1.1: {str(error).rstrip('.') or 'It is malformed'}."
