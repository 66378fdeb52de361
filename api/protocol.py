"""HTTP on one connection: uvicorn's, with a problem document for what is not HTTP."""

import asyncio
import re

import httptools
from fastapi import status
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from api.browsers import TARGET_HOST
from api.errors import problem
from api.limits import CLOSE
from api.whole_answers import HeadWithBody

LINGER_S = 1.0
"""The time for which a connection stays open after a refusal, and drops what comes: if it closed
with bytes unread it would be reset, and the client could lose the answer."""

_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)(.*)", re.DOTALL)


class Malformed(Exception):
    """A request that can't be taken; the text says why."""


class Connection(HttpToolsProtocol):
    """Answers 400 to what it can't read, after the answers that are due, and reads nothing more."""

    url = b""
    in_body = False
    """True from the end of a request's headers to the end of its body."""
    answers_due = 0
    """The number of requests that have no complete answer yet."""

    _refusal: str | None = None
    """The detail of a problem document that is due or was sent."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(HeadWithBody(transport, self.loop))

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._refusal is not None:
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The request is answered as HTTP/1.1; the parser reads nothing that follows it.
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
        """Answer 400 as soon as no other answer is due, and read nothing more."""
        if self._refusal is not None:
            return
        self._refusal = detail
        if self.in_body and not self._give_up(self.cycle):
            self.transport.close()
        elif not self.answers_due:
            self._send_refusal(detail)

    def _give_up(self, cycle: RequestResponseCycle) -> bool:
        """Drop the request that is being read; return whether nothing was answered to it yet."""
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
        answer = problem(status.HTTP_400_BAD_REQUEST, detail, instance=path, headers=CLOSE)
        fields = [*self.server_state.default_headers, *answer.raw_headers]
        head = b"".join(b"%s: %s\r\n" % field for field in fields)
        self.transport.write(b"%s%s\r\n%s" % (STATUS_LINE[answer.status_code], head, answer.body))
        self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.close)


def _detail(error: httptools.HttpParserError) -> str:
    if isinstance(error.__context__, Malformed):
        return str(error.__context__)
    if isinstance(error, httptools.HttpParserCallbackError):  # the target's is what can fail
        return "The request is no HTTP/1.1: Invalid target."
    return f"The request is no HTTP/1.1: {str(error).rstrip('.') or 'It is malformed'}."
