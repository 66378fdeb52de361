"""Protection against web pages: checks of `Host`, and of the origin of a write.

A browser sends requests on behalf of every page that it shows. A page whose domain resolves to this
machine (DNS rebinding) has the server's origin, but a foreign `Host`. Any other page can send
writes, although it cannot read the responses.
"""

from collections.abc import Iterator
from functools import lru_cache

from fastapi import Response, status
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.errors import path_of, problem
from core.domain.hosts import Host, Hosts, parse

PROBES = frozenset({"/livez", "/readyz"})
"""Paths that Kubernetes calls at the address of a pod."""

TARGET_HOST = "target_host"
"""State key for the host of an absolute request target, as in `GET http://HOST/ HTTP/1.1`."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({b"same-origin", b"none"})
"""Values for requests of own pages and of the user; `none`: such as by a bookmark."""
_OF_BROWSERS = frozenset({b"sec-fetch-site", b"origin"})
"""Headers that name the origin of a page; other clients send neither."""
_REMEMBERED_HOSTS = 256
_PORTS = {"http": 80, "https": 443}


class HostCheck:
    """Middleware that refuses requests for a host that the server does not serve."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts
        # A client sends the same host with each request.
        self._fault = lru_cache(_REMEMBERED_HOSTS)(self._find_fault)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None if _is_exempt(scope) else self._refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        hosts = list(_values(scope, b"host"))
        if len(hosts) != 1:
            detail = f"A request must have exactly one Host header, not {len(hosts)}."
            return _problem(scope, status.HTTP_400_BAD_REQUEST, detail)
        target = scope.get("state", {}).get(TARGET_HOST)
        for value in hosts if target is None else (*hosts, target):
            fault = self._fault(value)
            if fault is not None:
                return _problem(scope, *fault)
        return None

    def _find_fault(self, value: bytes) -> tuple[int, str] | None:
        """Return the status and detail for a host that is refused."""
        text = value.decode("latin-1")
        host = parse(text)
        if host is None:
            detail = f"The Host header {text!r} is not a valid host."
            return status.HTTP_400_BAD_REQUEST, detail
        if self._hosts.serve(host):
            return None
        detail = (
            f"This server does not serve the host {text}. Use localhost or the address "
            f"that it listens on, or add {host.name} to the server's NALANDA_ALLOWED_HOSTS."
        )
        return status.HTTP_403_FORBIDDEN, detail


class OriginCheck:
    """Middleware that refuses writes from web pages of another origin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None
        if scope["type"] == "http" and scope["method"] not in _SAFE and _is_foreign(scope):
            detail = (
                "This write comes from a web page of another origin. A server without "
                "NALANDA_API_KEYS accepts writes from its own pages and non-browser clients only."
            )
            refusal = _problem(scope, status.HTTP_403_FORBIDDEN, detail)
        await (refusal or self._app)(scope, receive, send)


def _is_exempt(scope: Scope) -> bool:
    return scope["type"] != "http" or scope["path"] in PROBES


def _is_foreign(scope: Scope) -> bool:
    if _OF_BROWSERS.isdisjoint([name for name, _ in scope["headers"]]):
        return False
    if any(site not in _OWN_SITES for site in _values(scope, b"sec-fetch-site")):
        return True
    host = next(_values(scope, b"host"), b"").decode("latin-1")
    return any(not _is_own(origin.decode("latin-1"), host) for origin in _values(scope, b"origin"))


def _is_own(origin: str, host: str) -> bool:
    """Return whether a page's origin is the host of its request; `null` never is.

    The schemes may differ, for instance behind a proxy that terminates TLS.
    """
    scheme, _, authority = origin.partition("://")
    own, page = parse(host), parse(authority)
    if own is None or page is None or scheme not in _PORTS:
        return False
    return _with_port(own, scheme) == _with_port(page, scheme)


def _with_port(host: Host, scheme: str) -> Host:
    return Host(host.name, host.port or _PORTS[scheme])


def _values(scope: Scope, name: bytes) -> Iterator[bytes]:
    return (value for key, value in scope["headers"] if key == name)


def _problem(scope: Scope, code: int, detail: str) -> Response:
    return problem(code, detail, instance=path_of(scope))
