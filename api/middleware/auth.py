"""Authentication: `Authorization: Bearer KEY`, required when the settings have API keys."""

import hmac
from collections.abc import Sequence

from fastapi import status
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.errors import path_of, problem

OPEN = frozenset({"/", "/livez", "/readyz", "/version", "/docs", "/openapi.json"})
"""Paths that load balancers and new users may read without a key."""
ASSETS = "/web/"
"""The beginning of the paths of what the open pages load."""


class Keys:
    def __init__(self, app: ASGIApp, keys: Sequence[str]) -> None:
        self._app = app
        self._keys = [key.encode() for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_open(scope["path"]) or self._has_key(scope):
            await self._app(scope, receive, send)
            return
        response = problem(
            status.HTTP_401_UNAUTHORIZED,
            "An API key is required: send the header Authorization: Bearer KEY.",
            instance=path_of(scope),
            headers={"WWW-Authenticate": "Bearer"},
        )
        await response(scope, receive, send)

    def _has_key(self, scope: Scope) -> bool:
        scheme, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        # Compare every key in constant time, so that the duration reveals nothing about a key.
        matches = [hmac.compare_digest(given.encode("latin-1"), key) for key in self._keys]
        return any(matches)


def _is_open(path: str) -> bool:
    return path in OPEN or path.startswith(ASSETS)
