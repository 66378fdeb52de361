"""Mapping of errors to HTTP: every error is a problem document (RFC 9457).

`type` is always `about:blank`: the status gives the kind of problem, and `detail` explains the
problem. A 422 has `errors`, each with a JSON pointer into the body, or `/NAME` of a parameter or
header.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import orjson
from fastapi import FastAPI, Request, Response, status
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from core.domain.errors import (
    Behind,
    Conflict,
    Fault,
    Invalid,
    NalandaError,
    NotFound,
    PreconditionFailed,
    ProviderError,
    ProviderUnavailable,
    StorageError,
    StorageFull,
    StorageUnavailable,
    Unavailable,
    WrongInstance,
)

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
POSITION = "Nalanda-Position"

STATUSES: Mapping[type[NalandaError], int] = {
    NotFound: status.HTTP_404_NOT_FOUND,
    Conflict: status.HTTP_409_CONFLICT,
    WrongInstance: status.HTTP_421_MISDIRECTED_REQUEST,
    PreconditionFailed: status.HTTP_412_PRECONDITION_FAILED,
    Invalid: status.HTTP_422_UNPROCESSABLE_CONTENT,
    Unavailable: status.HTTP_503_SERVICE_UNAVAILABLE,
    ProviderError: status.HTTP_502_BAD_GATEWAY,
    ProviderUnavailable: status.HTTP_503_SERVICE_UNAVAILABLE,
    StorageError: status.HTTP_500_INTERNAL_SERVER_ERROR,
    StorageFull: status.HTTP_507_INSUFFICIENT_STORAGE,
    StorageUnavailable: status.HTTP_503_SERVICE_UNAVAILABLE,
}
"""Status of each error class; a subclass has that of its nearest ancestor."""

MAX_FAULTS = 50
MAX_PROBLEM_BYTES = 64 * 1024
_MAX_TEXT = 500
"""Maximum length of a text in a problem, which may quote the request."""


_RENAMED = {413: "Content Too Large", 422: "Unprocessable Content"}
"""Reason phrases of RFC 9110, which Python has from 3.13 on."""


def phrase(code: int) -> str:
    """Return the reason phrase of a status code."""
    return _RENAMED.get(code) or HTTPStatus(code).phrase


def problem(
    code: int,
    detail: str,
    *,
    instance: str,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Build the problem response; `instance` is the path of the request."""
    document: dict[str, object] = {
        "type": "about:blank",
        "title": phrase(code),
        "status": code,
        "detail": _shorten(detail, 4 * _MAX_TEXT),
        "instance": _shorten(instance),
    }
    errors = [_error(fault) for fault in faults[:MAX_FAULTS]]
    body = _dump(document, errors)
    while len(body) > MAX_PROBLEM_BYTES:  # escaping makes a text up to six times as long
        errors = errors[: len(errors) // 2]
        body = _dump(document, errors)
    return Response(body, code, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def _dump(document: Mapping[str, object], errors: Sequence[Mapping[str, str]]) -> bytes:
    return orjson.dumps({**document, "errors": errors} if errors else document)


def _error(fault: Fault) -> dict[str, str]:
    return {"pointer": _shorten(fault.pointer), "detail": _shorten(fault.detail)}


def _shorten(text: str, length: int = _MAX_TEXT) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def path_of(scope: Scope) -> str:
    """Return the path as the client wrote it: escaped, without the query."""
    raw: bytes | None = scope.get("raw_path")
    return raw.decode("latin-1") if raw else str(scope["path"])


def install(app: FastAPI) -> None:
    """Register a handler for each kind of exception."""
    app.add_exception_handler(NalandaError, of_nalanda)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_parameters)
    app.add_exception_handler(ClientDisconnect, _of_disconnect)
    app.add_exception_handler(Exception, _of_surprise)


def status_of(kind: type[NalandaError]) -> int:
    return next(STATUSES[cls] for cls in kind.__mro__ if cls in STATUSES)


async def of_nalanda(request: Request, error: Exception) -> Response:
    """Respond to an error of the tree by its status."""
    assert isinstance(error, NalandaError)
    code = status_of(type(error))
    if code == status.HTTP_500_INTERNAL_SERVER_ERROR:
        raise error
    if isinstance(error, StorageError):
        _log.warning("%s %s: %s", request.method, path_of(request.scope), error)
    faults = error.faults if isinstance(error, Invalid) else ()
    headers = _retry_after(error, code)
    if (position := _position(error)) is not None:
        headers[POSITION] = str(position)
    return problem(
        code,
        str(error),
        instance=path_of(request.scope),
        faults=faults,
        headers=headers,
    )


def _position(error: NalandaError) -> int | None:
    """Return the position of the state that an error reflects."""
    if isinstance(error, Behind):
        return error.reached
    return error.position if isinstance(error, NotFound) else None


def _retry_after(error: NalandaError, code: int) -> dict[str, str]:
    """Return `Retry-After` in whole seconds, as HTTP requires; 1 if the error names no delay."""
    if code != status.HTTP_503_SERVICE_UNAVAILABLE:
        return {}
    after_s: float = getattr(error, "retry_after_s", None) or 1.0
    return {"Retry-After": str(math.ceil(after_s))}


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = path_of(request.scope)
    details = {
        HTTPStatus.NOT_FOUND.phrase: f"No route matches {path}.",
        HTTPStatus.METHOD_NOT_ALLOWED.phrase: f"{request.method} is not allowed here; see Allow.",
    }
    headers = dict(error.headers or {})
    if error.status_code == status.HTTP_405_METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed_methods(request))
    return problem(
        error.status_code,
        details.get(error.detail, error.detail),
        instance=path,
        headers=headers,
    )


def _allowed_methods(request: Request) -> list[str]:
    """Return the methods that have a route at this path."""
    app: FastAPI = request.app
    return [
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if any(
            route.matches({**request.scope, "method": method})[0].name == "FULL"
            for route in app.routes
        )
    ]


async def _of_parameters(request: Request, error: Exception) -> Response:
    """Respond to parameters and headers that FastAPI refused; `bodies/json.py` checks bodies."""
    assert isinstance(error, RequestValidationError)
    faults = [Fault(f"/{fault['loc'][1]}", fault["msg"]) for fault in error.errors()]
    return await of_nalanda(request, Invalid(faults))


async def _of_disconnect(request: Request, _: Exception) -> Response:
    """Return a response that no client reads, so that the disconnect counts as no server error."""
    code = status.HTTP_400_BAD_REQUEST
    return problem(
        code,
        "The client closed the connection before the end of the body.",
        instance=path_of(request.scope),
    )


async def _of_surprise(request: Request, _: Exception) -> Response:
    """Respond to an unexpected exception, which the server logs after the response."""
    return problem(
        status.HTTP_500_INTERNAL_SERVER_ERROR,
        "The server failed unexpectedly; its log has the cause.",
        instance=path_of(request.scope),
    )
