"""Ordinary searches: by vector, with nothing unusual in their target, headers and body."""

from typing import NamedTuple

from starlette.types import Scope

from api.http.bodies.binary import OCTETS
from api.http.bodies.json import JSON
from api.http.dependencies import has_reached
from api.http.responses import dumps
from api.searches.body import parse_binary_search, parse_vector_search
from api.searches.limits import MAX_EVENT_LOOP_BYTES, MAX_EVENT_LOOP_US
from api.wire.search import SearchContent, search_response
from core.bootstrap import Core
from core.domain.errors import NalandaError

_TYPE = b"content-type"
_MIN_POSITION = b"nalanda-min-position"
_CONSISTENCY = b"nalanda-consistency"
_JSON = JSON.encode()
_TYPES = frozenset({_JSON, OCTETS.encode()})
_READ = frozenset({_TYPE, _MIN_POSITION, _CONSISTENCY})
_UNUSUAL = frozenset({b"content-encoding", b"idempotency-key"})
_CONSISTENCIES = frozenset({None, b"eventual", b"session", b"strong"})
_MAX_DIGITS = 19


class Answer(NamedTuple):
    """The body of a response with status 200, and the position that it reflects."""

    content: bytes
    position: int

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"nalanda-position", b"%d" % self.position),
            (b"content-length", b"%d" % len(self.content)),
            (b"content-type", b"application/json"),
        ]


class OrdinarySearch(NamedTuple):
    """A search without anything unusual in its target and headers."""

    core: Core
    library: str
    is_binary: bool
    min_position: int
    consistency: str | None

    def answer(self, body: bytes) -> Answer | None:
        """Search, and return the answer; `None` if the route has to respond."""
        if self.is_binary:
            request = parse_binary_search(self.library, body)
        else:
            compiled = self.core.warmup.state == "ok"
            request = parse_vector_search(self.library, body, compiled=compiled)
        if request is None:
            return None
        search = self.core.search
        try:
            if not has_reached(self.core, self.min_position, self.consistency):
                return None
            if search.estimate_us(request) > MAX_EVENT_LOOP_US:
                return None
            result = search.search(request)
        except NalandaError:
            return None
        content = search_response(result, request.include)
        if _text_length(content) > MAX_EVENT_LOOP_BYTES:
            return None
        return Answer(dumps(content), result.position)


def ordinary_search(scope: Scope) -> OrdinarySearch | None:
    if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
        return None
    parts = scope["path"].split("/")
    if len(parts) != 4 or parts[3] != "search" or parts[1] != "libraries" or parts[0]:
        return None
    headers = _headers(scope)
    if headers is None or headers.get(_TYPE) not in _TYPES or not parts[2]:
        return None
    position = headers.get(_MIN_POSITION, b"0")
    if not position.isdigit() or len(position) > _MAX_DIGITS:
        return None
    consistency = headers.get(_CONSISTENCY)
    if consistency not in _CONSISTENCIES:
        return None
    named = None if consistency is None else consistency.decode()
    is_binary = headers[_TYPE] != _JSON
    return OrdinarySearch(scope["app"].state.core, parts[2], is_binary, int(position), named)


def _headers(scope: Scope) -> dict[bytes, bytes] | None:
    """Return the headers that a search depends on; `None` if one is unusual or repeated."""
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _READ:
            if name in headers:
                return None
            headers[name] = value
        elif name in _UNUSUAL:
            return None
    return headers


def _text_length(content: SearchContent) -> int:
    return sum(len(hit.get("text", "")) for hit in content["hits"])
