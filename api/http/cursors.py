"""Pagination cursors: the last key of a page, signed, so that clients cannot forge one.

A cursor is valid for one listing: the path and all parameters except the page size and `include`. A
cursor holds the last key, not an offset, so writes between two pages neither repeat nor skip an
item.
"""

import base64
import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import urlencode

import orjson
from fastapi import Query, Request

from api.http.parameters import WHOLE
from api.wire.base import MAX_LIMIT
from core.domain.errors import Invalid

_SIGNATURE_BYTES = 16
_OF_THE_PAGE = {"cursor", "limit", "include"}

Limit = Annotated[
    int, Query(ge=1, le=MAX_LIMIT, description="Maximum number of items in a page."), WHOLE
]
CursorParameter = Annotated[
    str | None, Query(description="The `next_cursor` of the previous page.")
]


T = TypeVar("T")


class Cursors:
    """The cursors of one listing; `key` is the database's secret."""

    def __init__(self, key: bytes, path: str, parameters: Iterable[tuple[str, str]]) -> None:
        self._key = key
        self._scope = _scope(path, parameters)

    @classmethod
    def of(cls, key: bytes, request: Request) -> Self:
        """Return the cursors of the listing that the request's path and parameters identify."""
        return cls(key, request.url.path, request.query_params.multi_items())

    def give(self, after: object) -> str | None:
        """Return the cursor of the items after the JSON value `after`, or `None` at the end."""
        if after is None:
            return None
        payload = orjson.dumps(after)
        return _encode(self._sign(payload) + payload)

    def take(self, cursor: str | None) -> Any:
        """Return the last key that a cursor holds, or `None` for the first page.

        Raises:
            Invalid: the server has not issued the cursor for this listing.
        """
        if cursor is None:
            return None
        token = _decode(cursor)
        signature, payload = token[:_SIGNATURE_BYTES], token[_SIGNATURE_BYTES:]
        given_out = hmac.compare_digest(signature, self._sign(payload))
        if not given_out or _encode(token) != cursor:
            raise Invalid.at("/cursor", "This cursor does not belong to this listing.")
        return orjson.loads(payload)

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, self._scope + b"\n" + payload, "sha256")[:_SIGNATURE_BYTES]


def cut(
    items: Sequence[T], limit: int, key: Callable[[T], object]
) -> tuple[Sequence[T], object | None]:
    """Return at most `limit` items, and the key of the last one if there are more."""
    page = items[:limit]
    return page, key(page[-1]) if len(items) > limit else None


def _scope(path: str, parameters: Iterable[tuple[str, str]]) -> bytes:
    scope = sorted(pair for pair in parameters if pair[0] not in _OF_THE_PAGE)
    return f"{path}?{urlencode(scope, errors='replace')}".encode("utf-8", "replace")


def _encode(token: bytes) -> str:
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def _decode(cursor: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        return b""
