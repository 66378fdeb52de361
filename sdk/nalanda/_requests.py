"""A request as data, and when it is worth repeating."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import SystemRandom
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from nalanda._errors import (
    ApiError,
    ConnectionFailed,
    InvalidAddress,
    InvalidName,
    NalandaError,
    RateLimitedError,
    TimedOut,
    UnavailableError,
)

MIN_POSITION = "Nalanda-Min-Position"
IDEMPOTENCY_KEY = "Idempotency-Key"
INSTANCE = "Nalanda-Instance"

FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 5.0
WORTH_A_RETRY = (ConnectionFailed, TimedOut, RateLimitedError, UnavailableError)
_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True
    """Whether sending it twice does no more than once."""

    def at_cursor(self, cursor: str | None) -> "Request":
        return self if cursor is None else replace(self, params={**self.params, "cursor": cursor})


def creating(path: str, body: Any, *, key: str | None = None) -> Request:
    """A POST that the server carries out once, however often it is sent."""
    return Request("POST", path, body=body, headers={IDEMPOTENCY_KEY: key or uuid4().hex})


def writing(
    method: str, path: str, body: Any = None, *, if_match: int | str | None = None
) -> Request:
    """A write, on condition if `if_match` is a version or an ETag.

    Then it is not repeated: if the first one's answer was lost, the second one would fail on
    the version that the first one made.
    """
    if if_match is None:
        return Request(method, path, body=body)
    tag = f'"{if_match}"' if isinstance(if_match, int) else if_match
    return Request(method, path, body=body, headers={"If-Match": tag}, repeatable=False)


def path_of(*parts: str) -> str:
    """A path of these segments, each quoted.

    Raises:
        InvalidName: a segment that a URL would swallow.
    """
    for part in parts:
        if part in {"", ".", ".."}:
            raise InvalidName(f"{part!r} is no id and no name.")
    return "/" + "/".join(quote(part, safe="") for part in parts)


def at_least(position: int | None) -> dict[str, str]:
    return {} if position is None else {MIN_POSITION: str(position)}


def query_of(**params: Any) -> dict[str, Any]:
    """Those that are not `None`; an object, such as a filter, as JSON."""
    return {name: _param(value) for name, value in params.items() if value is not None}


def _param(value: Any) -> Any:
    match value:
        case Mapping():
            return json.dumps(value, ensure_ascii=False)
        case datetime():
            return value.isoformat()
        case _:
            return value


def delay_s(error: NalandaError, attempt: int) -> float | None:
    """How long to wait before attempt `attempt + 1`; `None`: there is no point in one.

    Exponential with jitter, and never less than the server asked for.
    """
    if isinstance(error, InvalidAddress) or not isinstance(error, WORTH_A_RETRY):
        return None
    backoff: float = FIRST_DELAY_S * 2**attempt * _random.uniform(0.5, 1.0)
    asked = error.retry_after_s if isinstance(error, ApiError) else None
    return max(min(backoff, LONGEST_DELAY_S), asked or 0.0)
