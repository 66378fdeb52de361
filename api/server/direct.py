"""Connections that answer an ordinary search when its body is there, without a task of the app.

A task with its layers of middleware takes a third as long as the search itself. All of them would
come to the same verdict as on an earlier search with an equal head (`api/searches/passed.py`).
Whatever differs from such a search goes to the app, which has seen nothing of it before.
"""

import time

from api.http.bodies.json import SCANNED_BYTES
from api.searches.ordinary import Answer, OrdinarySearch
from api.searches.passed import PassedSearches
from api.server.protocol import Connection

_OK = b"HTTP/1.1 200 OK\r\n"


class DirectConnection(Connection):
    """A connection of an app whose `passed` searches it answers by itself."""

    passed: PassedSearches | None = None

    _search: OrdinarySearch | None = None
    """The search whose body is being received, within one call of `data_received`."""
    _body = b""
    _began_s = 0.0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._search is not None:  # the app limits the time for the rest of the body
            self._hand_to_app()

    def on_headers_complete(self) -> None:
        self._search = self._find_passed()
        if self._search is None:
            super().on_headers_complete()
        else:
            self._began_s, self._body = time.perf_counter(), b""

    def on_body(self, body: bytes) -> None:
        if self._search is None:
            super().on_body(body)
            return
        self._body += body
        if len(self._body) > SCANNED_BYTES:
            self._hand_to_app()

    def on_message_complete(self) -> None:
        answer = None if self._search is None else self._answer(self._search)
        if answer is not None:
            self._send(answer)
            return
        if self._search is not None:
            self._hand_to_app()
        super().on_message_complete()

    def _find_passed(self) -> OrdinarySearch | None:
        """Return the search if its head is known, and nothing of an earlier request is pending."""
        if self.passed is None or self.answers_due or self.expect_100_continue:
            return None
        parser = self.parser
        if parser.get_method() != b"POST" or parser.get_http_version() != "1.1":
            return None
        if not parser.should_keep_alive() or self.flow.write_paused:
            return None
        return self.passed.find(self.url, self.headers)

    def _answer(self, search: OrdinarySearch) -> Answer | None:
        try:
            return search.answer(self._body)
        except Exception:  # noqa: BLE001  # the app fails in the same way, and logs it
            return None

    def _send(self, answer: Answer) -> None:
        assert self.passed is not None
        fields = [*self.server_state.default_headers, *answer.headers]
        head = b"".join([b"%s: %s\r\n" % field for field in fields])
        self.transport.writelines([_OK, head, b"\r\n", answer.content])
        self._search, self._body = None, b""
        self.url = b""
        self.answers_due += 1
        self.on_response_complete()
        self.passed.count(time.perf_counter() - self._began_s)

    def _hand_to_app(self) -> None:
        """Let the app respond to the request, of which it gets what has been received."""
        body, self._search, self._body = self._body, None, b""
        super().on_headers_complete()
        if body:
            super().on_body(body)
