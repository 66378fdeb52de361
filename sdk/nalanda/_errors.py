"""Errors that a call can raise, as one tree.

    NalandaError
    ├── ConnectionFailed         the server was not reached, or hung up
    │   ├── InvalidAddress       the base URL is none that a server can be reached at
    │   ├── InvalidProxy         the environment names a proxy that can't be used
    │   ├── InvalidCertificates  the environment names certificates that can't be read
    │   └── ProxyFailed          the environment's proxy was not reached, or did not reach it
    ├── TimedOut                 it did not answer, or a question did not end, in time
    ├── InvalidName              an id or a name that no path can carry; a ValueError too
    ├── InvalidValue             a value that JSON can't carry, named by its place; a ValueError too
    │   └── InvalidType          a value of a type that has no JSON form; a TypeError too
    ├── QueryFailed              a question ended without an answer; `.state` has the rest
    ├── PositionLost             the server's record went back behind what this session has seen
    └── ApiError                 the server said no; `.status`, `.title`, `.detail`, `.problem`
        ├── BadRequestError          400  not even a readable request
        ├── AuthenticationError      401  no API key, or a wrong one
        ├── PermissionDeniedError    403  the server refuses the host, see rest.md
        ├── NotFoundError            404  the thing named is not there
        ├── ConflictError            409  it is there already, or something stands in the way
        ├── PreconditionFailedError  412  `if_match` is not the current version
        ├── PayloadTooLargeError     413  send less at a time
        ├── ValidationError          422  the input breaks a rule; `.errors` points into it
        ├── RateLimitedError         429  too many requests; `.retry_after_s`
        ├── ServerError              5xx  the server's own failure
        │   └── UnavailableError     502, 503, 504  not now; `.retry_after_s`
        └── UnexpectedAnswerError    an answer that this client cannot read

No error of httpx escapes: `connection_error` translates all of them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeAlias

import httpx
import pydantic

from nalanda._models.questions import QueryState

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys and indexes that lead from a body or a parameter to a value."""

_MAX_PLACE = 120
"""Maximum length of a place in a message."""

HTTPX_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)


class NalandaError(Exception):
    """The base class; the message addresses the caller."""


class ConnectionFailed(NalandaError):
    pass


class InvalidAddress(ConnectionFailed):
    pass


class InvalidProxy(ConnectionFailed):
    pass


class InvalidCertificates(ConnectionFailed):
    pass


class ProxyFailed(ConnectionFailed):
    pass


class TimedOut(NalandaError):
    pass


class InvalidName(NalandaError, ValueError):
    pass


class InvalidValue(NalandaError, ValueError):
    """A value that JSON cannot carry; `place` locates it, such as `chunks[3].metadata.price`."""

    def __init__(self, place: KeyPath, detail: str) -> None:
        self.place = _format_place(place)
        super().__init__(f"{self.place or 'The body'} {detail}")


class InvalidType(InvalidValue, TypeError):
    pass


class QueryFailed(NalandaError):
    """A question that ended without an answer; `state` is its last one: failed, cancelled or timed
    out.
    """

    def __init__(self, state: QueryState) -> None:
        why = f": {state.error}" if state.error else ""
        super().__init__(f"The question {state.workflow_id} ended as {state.status}{why}")
        self.state = state


class PositionLost(NalandaError):
    """A record that went back behind the `position` that the session had seen, to `recorded`.

    So it does after a restore, or a failover of PostgreSQL that lost commits. The session begins
    again at `recorded`: the next call works, and does not see the writes in between.
    """

    def __init__(self, position: int, recorded: int) -> None:
        super().__init__(
            f"The server's record went back to position {recorded}, and this session has seen "
            f"{position}: a backup was restored, or a failover lost writes. The session goes on "
            f"at {recorded}; write again what is missing."
        )
        self.position = position
        self.recorded = recorded


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken rule: a JSON pointer into the input, and an explanation."""

    pointer: str
    detail: str


class ApiError(NalandaError):
    """A response with an error status.

    `errors` has a `Fault` per broken rule, `problem` the RFC 9457 document, and `retry_after_s` the
    delay that the server asks for. Each is empty if the server sent none.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str | None = None,
        *,
        errors: Sequence[Fault] = (),
        problem: Mapping[str, Any] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        faults = [f"{fault.pointer or '/'}: {fault.detail}" for fault in errors]
        super().__init__(f"{status} {title}: {'; '.join(faults) or detail or 'no details'}")
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.problem = dict(problem or {})
        self.retry_after_s = retry_after_s


class BadRequestError(ApiError):
    pass


class AuthenticationError(ApiError):
    pass


class PermissionDeniedError(ApiError):
    pass


class NotFoundError(ApiError):
    pass


class ConflictError(ApiError):
    pass


class PreconditionFailedError(ApiError):
    pass


class PayloadTooLargeError(ApiError):
    pass


class ValidationError(ApiError):
    pass


class RateLimitedError(ApiError):
    pass


class ServerError(ApiError):
    pass


class UnavailableError(ServerError):
    pass


class UnexpectedAnswerError(ApiError):
    pass


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    412: PreconditionFailedError,
    413: PayloadTooLargeError,
    422: ValidationError,
    429: RateLimitedError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}


def connection_error(error: Exception, url: object, proxy: object = None) -> NalandaError:
    """Translate one of `HTTPX_ERRORS`; `proxy` is the proxy of the call."""
    reason = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        through = f" through {proxy}" if proxy else ""
        return TimedOut(f"{url} did not answer in time{through} ({type(error).__name__}).")
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return InvalidAddress(f"{url} is not the address of a server: {reason}")
    if proxy:
        return ProxyFailed(
            f"{url} could not be reached through {proxy}: {reason.rstrip('.')}. "
            "Check the proxy, or name the server in NO_PROXY."
        )
    return ConnectionFailed(f"{url} could not be reached: {reason}")


def api_error(response: httpx.Response, proxy: object = None) -> ApiError:
    """Build the error of an unsuccessful response, with or without a problem document."""
    status = response.status_code
    problem = _problem(response)
    return _class_of(status)(
        status,
        str(problem.get("title") or _phrase(status)),
        str(problem["detail"]) if problem.get("detail") else _excerpt(response, problem, proxy),
        errors=_faults(problem.get("errors")),
        problem=problem,
        retry_after_s=retry_after_s(response.headers.get("Retry-After")),
    )


def unexpected_answer(response: httpx.Response, why: pydantic.ValidationError) -> ApiError:
    """Build the error of a successful response that breaks the contract, as from another server."""
    first = why.errors()[0]
    where = "/".join(str(part) for part in first["loc"]) or "the body"
    detail = f"{response.url} did not answer as Nalanda does: {where}: {first['msg']}"
    return UnexpectedAnswerError(response.status_code, "Unexpected answer", detail)


def retry_after_s(header: str | None) -> float | None:
    """Return the delay of a `Retry-After` header (RFC 9110), in seconds or as a date."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    now = datetime.now(UTC)
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def type_name(value: object) -> str:
    """Return the usual name of a type, such as `set` or `numpy.complex128`."""
    kind = type(value)
    module = "" if kind.__module__ in {"builtins", "__main__"} else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"


def _format_place(place: KeyPath) -> str:
    parts = [_part(token) for token in place]
    text = "".join(parts).removeprefix(".")
    return text if len(text) <= _MAX_PLACE else f"{text[:_MAX_PLACE]}…"


def _part(token: str | int) -> str:
    if isinstance(token, int):
        return f"[{token}]"
    return f".{token}" if token.isidentifier() else f"[{token!r}]"


def _class_of(status: int) -> type[ApiError]:
    return _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _excerpt(response: httpx.Response, problem: Mapping[str, Any], proxy: object) -> str | None:
    """Return the beginning of a body that is not a problem document, such as a proxy's page."""
    if problem:
        return None
    text = " ".join(response.text[:1000].split())[:200]
    return f"{text or 'no details'} (through {proxy})" if proxy else text or None


def _faults(errors: object) -> list[Fault]:
    if not isinstance(errors, list):
        return []
    said = [error for error in errors if isinstance(error, dict)]
    return [Fault(str(e.get("pointer", "")), str(e.get("detail", ""))) for e in said]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown status"
