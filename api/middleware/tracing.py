"""Spans of HTTP requests, which continue the trace of a client's `traceparent`."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.tracing.conventions import (
    HTTP_METHOD,
    HTTP_ROUTE,
    HTTP_STATUS,
    PROTOCOL_VERSION,
    SERVER_ADDRESS,
    SERVER_PORT,
    URL_PATH,
    URL_SCHEME,
    Value,
)
from core.tracing.spans import Span, TraceHeaders, span

UNTRACED = frozenset({"/livez", "/readyz", "/metrics", "/version"})
"""Paths that are called every few seconds, by orchestrators, scrapers and workers."""

_TRACE_HEADERS = frozenset({b"traceparent", b"tracestate"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SERVER_ERROR = 500


class RequestSpans:
    """Middleware that records a span for each request; its name has the route's template.

    The query string is left out: filters and names are in it. So is a path that no route matches.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNTRACED:
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "HTTP"
        with span(method, "server", _attributes(scope), parent=_trace_headers(scope)) as current:

            async def send_and_note(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _note_status(current, message["status"])
                await send(message)

            try:
                await self._app(scope, receive, send_and_note)
            finally:
                route = getattr(scope.get("route"), "path", None)
                if route is not None:
                    current.rename(f"{method} {route}")
                    current.set(HTTP_ROUTE, route)
                    current.set(URL_PATH, scope["path"])


def _note_status(current: Span, status: int) -> None:
    current.set(HTTP_STATUS, status)
    if status >= _SERVER_ERROR:
        current.fail(str(status))


def _attributes(scope: Scope) -> dict[str, Value]:
    method = scope["method"]
    attributes: dict[str, Value] = {
        HTTP_METHOD: method if method in _METHODS else "_OTHER",
        URL_SCHEME: scope["scheme"],
        PROTOCOL_VERSION: scope["http_version"],
    }
    address, port = scope.get("server") or (None, None)
    if address is not None:
        attributes[SERVER_ADDRESS] = address
    if port is not None:
        attributes[SERVER_PORT] = port
    return attributes


def _trace_headers(scope: Scope) -> TraceHeaders:
    return {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in scope["headers"]
        if name in _TRACE_HEADERS
    }
