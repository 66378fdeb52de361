"""Maps the errors of Cohere's SDK to the project's two; the only place that does."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from cohere.core.api_error import ApiError
from cohere.core.parse_error import ParsingError

from core.domain.errors import ProviderError
from core.providers.service import Service

SERVICE = Service("Cohere", "CO_API_KEY", "CO_API_URL")

_CLIENT_ERRORS = (ApiError, ParsingError, httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError)
# Raised by the SDK and by this package on an answer of the wrong shape.
_MALFORMED = (AttributeError, LookupError, TypeError, ValueError, RecursionError)


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
        raise SERVICE.malformed_answer(str(error)) from error


def provider_error(error: Exception) -> ProviderError:
    """Return the project's error for one of the SDK or the HTTP client."""
    match error:
        case ApiError(status_code=int(status)):
            return SERVICE.status_error(status, _message(error.body), error.headers or {})
        case ApiError():
            return SERVICE.unreachable(None, type(error).__name__)
        case ParsingError() | httpx.DecodingError():
            return SERVICE.malformed_answer("it can't be read")
        case httpx.TimeoutException():
            return SERVICE.timeout(_url_of(error))
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | httpx.TooManyRedirects():
            return SERVICE.invalid_url()
        case httpx.LocalProtocolError() | UnicodeEncodeError():
            return SERVICE.unsendable()
        case _:
            return SERVICE.unreachable(_url_of(error), type(error).__name__)


def _url_of(error: Exception) -> httpx.URL | None:
    try:
        return error.request.url if isinstance(error, httpx.RequestError) else None
    except RuntimeError:  # it was raised before there was a request
        return None


def _message(body: object) -> object:
    return body.get("message") if isinstance(body, dict) else None
