"""Maps the errors of OpenAI's SDK to the project's two; the only place that does."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import httpx2
import openai

from core.domain.errors import ProviderError, ProviderRejected
from core.providers.service import Service

_UNSENDABLE = (UnicodeEncodeError, httpx.LocalProtocolError, httpx2.LocalProtocolError)
_INVALID_URLS = (
    httpx.InvalidURL,
    httpx.UnsupportedProtocol,
    httpx.TooManyRedirects,
    httpx2.InvalidURL,
    httpx2.UnsupportedProtocol,
    httpx2.TooManyRedirects,
)
_TIMEOUTS = (openai.APITimeoutError, httpx.TimeoutException, httpx2.TimeoutException)
_BODIES = (openai.APIResponseValidationError, httpx.DecodingError, httpx2.DecodingError)
# The SDK's own HTTP client is httpx2; it also takes httpx's, which is what it is given here.
_CLIENT_ERRORS = (
    openai.OpenAIError,
    httpx.HTTPError,
    httpx2.HTTPError,
    *_UNSENDABLE,
    *_INVALID_URLS,
)
# Raised by the SDK and by this package on an answer of the wrong shape.
_MALFORMED = (AttributeError, LookupError, TypeError, ValueError, RecursionError)

_NO_CREDIT = "insufficient_quota"
"""The code of a 429 that no waiting ends."""


@contextmanager
def openai_errors(service: Service) -> Iterator[None]:
    """Map the errors of a block that calls the SDK and reads its answer.

    Raises:
        ProviderRejected: the server will never accept the request.
        ProviderUnavailable: the server may accept the request later.
    """
    try:
        yield
    except ProviderError:
        raise
    except _CLIENT_ERRORS as error:
        # Without its cause, whose text may hold the request's headers, and so the key.
        raise provider_error(service, error) from None
    except _MALFORMED as error:
        raise service.malformed_answer(str(error)) from error


def provider_error(service: Service, error: Exception) -> ProviderError:
    """Return the project's error for one of the SDK or the HTTP client."""
    cause = error.__cause__ if type(error) is openai.APIConnectionError else None
    if isinstance(cause, Exception):
        return provider_error(service, cause)
    if isinstance(error, openai.APIStatusError):
        return _status_error(service, error)
    if isinstance(error, _BODIES):
        return service.malformed_answer("it can't be read")
    if isinstance(error, _TIMEOUTS):
        return service.timeout(_url_of(error))
    if isinstance(error, _INVALID_URLS):
        return service.invalid_url()
    if isinstance(error, _UNSENDABLE):
        return service.unsendable()
    if type(error) is openai.APIError:  # an error event in a stream
        return service.gave_up(error.message)
    return service.unreachable(_url_of(error), type(error).__name__)


def _status_error(service: Service, error: openai.APIStatusError) -> ProviderError:
    if error.code == _NO_CREDIT:
        return ProviderRejected(f"There is no credit left at {service.name} for this key (429).")
    return service.status_error(error.status_code, _message(error.body), error.response.headers)


def _message(body: object) -> object:
    """Return the server's message: OpenAI's `message`, or `detail` and `error` of others."""
    if not isinstance(body, dict):
        return body
    messages = (body.get(name) for name in ("message", "detail", "error"))
    return next((text for text in messages if isinstance(text, str)), None)


def _url_of(error: Exception) -> object:
    try:
        request = getattr(error, "request", None)
    except RuntimeError:  # it was raised before there was a request
        return None
    return request.url if request is not None else None
