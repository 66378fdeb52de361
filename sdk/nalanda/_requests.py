"""A request as data, and the decision to repeat it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import index
from random import SystemRandom
from typing import Any, SupportsIndex
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

from nalanda._errors import (
    ApiError,
    ConnectionFailed,
    InvalidAddress,
    InvalidName,
    InvalidType,
    InvalidValue,
    NalandaError,
    RateLimitedError,
    TimedOut,
    UnavailableError,
    type_name,
)
from nalanda._json import dump, plain

MIN_POSITION = "Nalanda-Min-Position"
IDEMPOTENCY_KEY = "Idempotency-Key"
INSTANCE = "Nalanda-Instance"
INGESTION = "Nalanda-Ingestion"
JSON = {"Content-Type": "application/json"}

MAX_QUERY_BYTES = 4096
"""Length of a query string from which listings use POST: servers and proxies limit URLs."""

FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 5.0
WORTH_A_RETRY = (ConnectionFailed, TimedOut, RateLimitedError, UnavailableError)
_random = SystemRandom()


Part = tuple[str, tuple[str | None, bytes, str]]
"""A part's name, its file's name, its content and media type."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True
    """False: a failure is the answer. A GET asks each node once; a POST is sent once."""

    parts: Sequence[Part] = ()
    """The parts of a `multipart/form-data` body, which takes the place of `body`."""

    @property
    def is_for_leader(self) -> bool:
        """Return whether a follower passes the request on: a write, or one to a workflow."""
        reads = self.method == "GET" or (
            self.method == "POST" and IDEMPOTENCY_KEY not in self.headers
        )
        return not reads or self.path.startswith(("/query", "/ingest"))

    def content(self) -> bytes | None:
        """Serialise the body.

        Raises:
            InvalidValue, InvalidType: part of it has no JSON form.
        """
        return None if self.body is None else dump(self.body).encode()

    def at_cursor(self, cursor: str | None) -> "Request":
        """Return the request for the page at a cursor."""
        if cursor is None:
            return self
        if self.body is not None:
            return replace(self, body={**self.body, "cursor": cursor})
        return replace(self, params={**self.params, "cursor": cursor})


def create_request(
    path: str, body: Any, *, key: str | None = None, parts: Sequence[Part] = ()
) -> Request:
    """Return a POST that the server executes once, even if it is sent repeatedly."""
    checked = check_header("idempotency_key", key or uuid4().hex)
    return Request("POST", path, body=body, headers={IDEMPOTENCY_KEY: checked}, parts=parts)


def write_request(
    method: str, path: str, body: Any = None, *, if_match: int | str | None = None
) -> Request:
    """Return a write that the server executes once; conditional if `if_match` is a version or tag.

    The key is more than the method's own idempotence: a repetition overwrites no write that came
    after the first attempt, and finds neither the version that this made nor the entity gone.
    """
    headers = {IDEMPOTENCY_KEY: uuid4().hex}
    if if_match is None:
        return Request(method, path, body=body, headers=headers)
    if isinstance(if_match, SupportsIndex):
        tag = f'"{index(if_match)}"'
    else:
        tag = check_header("if_match", if_match)
    return Request(method, path, body=body, headers={**headers, "If-Match": tag})


def with_ingestion(ingestion: str | None, request: Request) -> Request:
    """Return the write of an ingestion, if there is one."""
    if ingestion is None:
        return request
    headers = {**request.headers, INGESTION: check_header("ingestion", ingestion)}
    return replace(request, headers=headers)


def path_of(*parts: str | UUID) -> str:
    """Return a path of these quoted segments.

    Raises:
        InvalidName: a URL would drop the segment, or cannot carry it.
    """
    return "/" + "/".join(_segment(part) for part in parts)


def _segment(part: str | UUID) -> str:
    try:
        text = plain(part)
        if isinstance(text, str) and text not in {"", ".", ".."}:
            return quote(text, safe="")
    except InvalidValue as error:
        raise InvalidName(f"{part!r} is neither an id nor a name.") from error
    raise InvalidName(f"{part!r} is neither an id nor a name.")


def list_request(path: str, headers: Mapping[str, str], **params: Any) -> Request:
    """Return a GET, or the equivalent POST if the URL would be too long.

    Raises:
        InvalidValue, InvalidType: a parameter, or part of one, has no JSON form.
    """
    query = query_of(**params)
    if len(urlencode(query, doseq=True)) <= MAX_QUERY_BYTES:
        return Request("GET", path, query, headers=headers)
    body = {name: plain(value, (name,)) for name, value in params.items() if value is not None}
    return Request("POST", f"{path}/query", body=body, headers=headers)


def check_header(name: str, value: str) -> str:
    """Return a header's value.

    Raises:
        InvalidValue, InvalidType: a header cannot carry the value.
    """
    if not isinstance(value, str):
        raise InvalidType((name,), f"is of the type {type_name(value)}, not text.")
    if not (value.isascii() and value.isprintable()) or value != value.strip():
        detail = "goes into a header, which has printable ASCII alone and no space around it."
        raise InvalidValue((name,), detail)
    return str(value)


def at_least(position: int | None) -> dict[str, str]:
    return {} if position is None else {MIN_POSITION: str(position)}


def query_of(**params: Any) -> dict[str, Any]:
    """Return the parameters that are not `None`, with objects such as a filter as JSON.

    Raises:
        InvalidValue, InvalidType: a parameter, or part of one, has no JSON form.
    """
    return {name: _param(name, value) for name, value in params.items() if value is not None}


def _param(name: str, value: Any) -> Any:
    form = plain(value, (name,))
    return dump(form) if isinstance(form, dict) else form


def delay_s(error: NalandaError, attempt: int) -> float | None:
    """Return the delay before attempt `attempt + 1`, or `None` if a retry is pointless.

    Exponential with jitter, and never less than the server asked for.
    """
    if isinstance(error, InvalidAddress) or not isinstance(error, WORTH_A_RETRY):
        return None
    backoff: float = FIRST_DELAY_S * 2**attempt * _random.uniform(0.5, 1.0)
    requested_s = error.retry_after_s if isinstance(error, ApiError) else None
    return max(min(backoff, LONGEST_DELAY_S), requested_s or 0.0)
