"""The project's two errors for the failures of a remote service, worded for its operator.

400 401 403 404 422 …, a URL or a key that can't be sent    ProviderRejected
408 429 499 5xx, timeouts, cut connections, bad answers     ProviderUnavailable
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from core.domain.errors import ProviderError, ProviderRejected, ProviderUnavailable
from core.providers.clients import proxy_of

_RETRYABLE = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, 499}
_MAX_RETRY_AFTER_S = 3600.0
_MAX_DETAIL_CHARS = 200
_KEY = re.compile(
    r"\b(?:sk|pk|hf|co|key|bearer)[-_ ][\w*-]{8,}|\b(?=\w*\d)(?=\w*[a-z])\w{24,}", re.IGNORECASE
)
"""A key that a service may have echoed: by its prefix, or a long word with letters and digits."""


@dataclass(frozen=True, slots=True)
class Service:
    """A remote service: its name within a sentence, and the variables with its key and URL."""

    name: str
    key_variable: str
    url_variable: str

    @property
    def _subject(self) -> str:
        return self.name[:1].upper() + self.name[1:]

    def status_error(
        self, status: int, message: object, headers: Mapping[str, str]
    ) -> ProviderError:
        """Return the error for a status; `message` is the service's own, if it is a text."""
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return self.malformed_answer("it is not JSON")
        if status == HTTPStatus.UNAUTHORIZED:  # its message may hold the key
            return ProviderRejected(
                f"{self._subject} does not accept the key (401): check {self.key_variable}."
            )
        detail = _detail(message)
        if status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return ProviderUnavailable(
                f"{self._subject} is not available ({status}){detail}.",
                retry_after_s=_retry_after_s(headers),
            )
        return ProviderRejected(f"{self._subject} refused the request ({status}){detail}.")

    def malformed_answer(self, detail: str) -> ProviderUnavailable:
        """Return the error for an answer of the wrong shape."""
        return ProviderUnavailable(f"The answer of {self.name} has the wrong shape: {detail}.")

    def gave_up(self, reason: str) -> ProviderUnavailable:
        """Return the error for an answer that the service broke off."""
        return ProviderUnavailable(f"{self._subject} gave up{_detail(reason)}.")

    def timeout(self, url: object) -> ProviderUnavailable:
        return ProviderUnavailable(f"{self._subject} did not answer in time{_through_proxy(url)}.")

    def unreachable(self, url: object, kind: str) -> ProviderUnavailable:
        return ProviderUnavailable(f"No connection to {self.name}{_through_proxy(url)} ({kind}).")

    def invalid_url(self) -> ProviderRejected:
        return ProviderRejected(
            f"{self._subject} can't be called at this URL: check {self.url_variable}."
        )

    def unsendable(self) -> ProviderRejected:
        return ProviderRejected(
            f"The request can't be sent: {self.key_variable} must be one line of ASCII, and "
            "texts must be valid Unicode."
        )


def _through_proxy(url: object) -> str:
    """Return ` through the proxy …` if the request used one, which may be what is down."""
    proxy = proxy_of(httpx.URL(str(url))) if url else None
    return f" through the proxy {proxy}" if proxy else ""


def _detail(message: object) -> str:
    """Return `: ` and the service's words, on one line, cut, and without keys."""
    if not isinstance(message, str) or not message.strip():
        return ""
    line = _KEY.sub("…", " ".join(message[:_MAX_DETAIL_CHARS].split()))
    return f": {line.rstrip('.')}"


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
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
