"""Maps the errors of Cohere's SDK to the project's two; the only place that does.

400 401 403 404 422 …, a URL or a key that can't be sent    ProviderRejected
408 429 499 5xx, timeouts, cut connections, bad answers     ProviderUnavailable
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx
from cohere.core.api_error import ApiError
from cohere.core.parse_error import ParsingError

from core.domain.errors import ProviderError, ProviderRejected, ProviderUnavailable
from core.providers.clients import proxy_of

_CLIENT_ERRORS = (ApiError, ParsingError, httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError)
# Raised by the SDK and by this package on an answer of the wrong shape.
_MALFORMED = (AttributeError, LookupError, TypeError, ValueError, RecursionError)

_RETRYABLE = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, 499}
_MAX_RETRY_AFTER_S = 3600.0
_MAX_DETAIL_CHARS = 200


@contextmanager
def cohere_errors() -> Iterator[None]:
    """Map the errors of a block that calls the SDK and reads its answer.

    Raises:
        ProviderRejected: Cohere will never accept the request.
        ProviderUnavailable: Cohere may accept the request later.
    """
    try:
        yield
    except ProviderError:
        raise
    except _CLIENT_ERRORS as error:
        # Without its cause, whose text may hold the request's headers, and so the key.
        raise provider_error(error) from None
    except _MALFORMED as error:
        raise malformed_answer(str(error)) from error


def provider_error(error: Exception) -> ProviderError:
    """Return the project's error for one of the SDK or the HTTP client."""
    match error:
        case ApiError():
            return _status_error(error)
        case ParsingError() | httpx.DecodingError():
            return malformed_answer("it can't be read")
        case httpx.TimeoutException():
            return ProviderUnavailable(f"Cohere did not answer in time{_through_proxy(error)}.")
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | httpx.TooManyRedirects():
            return ProviderRejected("Cohere can't be called at this URL: check CO_API_URL.")
        case httpx.LocalProtocolError() | UnicodeEncodeError():
            return ProviderRejected(
                "The request to Cohere can't be sent: CO_API_KEY must be one line of ASCII, "
                "and texts must be valid Unicode."
            )
        case _:
            kind = type(error).__name__
            return ProviderUnavailable(f"No connection to Cohere{_through_proxy(error)} ({kind}).")


def _through_proxy(error: Exception) -> str:
    """Return ` through the proxy …` if the request used one, which may be what is down."""
    try:
        url = error.request.url if isinstance(error, httpx.RequestError) else None
    except RuntimeError:  # it was raised before there was a request
        return ""
    proxy = url and proxy_of(url)
    return f" through the proxy {proxy}" if proxy else ""


def malformed_answer(detail: str) -> ProviderUnavailable:
    """Return the error for an answer of the wrong shape."""
    return ProviderUnavailable(f"Cohere's answer has the wrong shape: {detail}.")


def _status_error(error: ApiError) -> ProviderError:
    status = error.status_code
    if status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return malformed_answer("it is not JSON")
    if status == HTTPStatus.UNAUTHORIZED:
        return ProviderRejected("Cohere does not accept the key (401): check CO_API_KEY.")
    detail = _detail(error.body)
    if status in _RETRYABLE or (status is not None and status >= HTTPStatus.INTERNAL_SERVER_ERROR):
        return ProviderUnavailable(
            f"Cohere is not available ({status}){detail}.",
            retry_after_s=_retry_after_s(error.headers or {}),
        )
    return ProviderRejected(f"Cohere refused the request ({status}){detail}.")


def _detail(body: object) -> str:
    message = body.get("message") if isinstance(body, dict) else None
    return f": {message[:_MAX_DETAIL_CHARS].rstrip('.')}" if isinstance(message, str) else ""


def _retry_after_s(headers: dict[str, str]) -> float | None:
    """Return `Retry-After` (RFC 9110 §10.2.3), a number of seconds or a date, in seconds."""
    value = httpx.Headers(headers).get("retry-after", "").strip()
    try:
        seconds = float(value) if value[:1].isdigit() else _until(value)
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER_S) if math.isfinite(seconds) else None


def _until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    # A date that says "-0000" parses without a zone, and means UTC.
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
