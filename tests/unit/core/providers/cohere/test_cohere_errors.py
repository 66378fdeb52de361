"""Every error of the SDK and of the HTTP client is one of the project's two."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import cohere
import cohere.errors
import httpx
import pytest
from cohere.core.api_error import ApiError
from cohere.core.parse_error import ParsingError

from core.domain.errors import ProviderError, ProviderRejected, ProviderUnavailable
from core.providers.cohere.errors import SERVICE, cohere_errors

KEY = "secret-key"


def raised(error: Exception) -> ProviderError:
    with pytest.raises(ProviderError) as caught, cohere_errors():
        raise error
    return caught.value


def api_error(status: int, **headers: str) -> ApiError:
    return ApiError(status_code=status, headers=headers, body={"message": "Too bad."})


def sdk_errors() -> list[type[ApiError]]:
    """All exceptions that the SDK exports, found by looking."""
    modules = (cohere, cohere.errors)
    values = {getattr(module, name) for module in modules for name in dir(module)}
    kinds = {kind for kind in values if isinstance(kind, type) and issubclass(kind, BaseException)}
    assert kinds == {kind for kind in kinds if issubclass(kind, ApiError)}
    return [kind for kind in kinds if issubclass(kind, ApiError)]


def below(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from below(inner)


def test_no_error_of_the_sdk_is_unmapped() -> None:
    kinds: list[type[ApiError] | type[ParsingError]] = [*sdk_errors(), ParsingError]
    assert len(kinds) >= 13
    for kind in kinds:
        error = kind(body="x")
        assert isinstance(raised(error), (ProviderRejected, ProviderUnavailable)), kind


@pytest.mark.parametrize("kind", sorted(set(below(httpx.HTTPError)), key=str))
def test_no_error_of_the_transport_is_unmapped(kind: type[httpx.HTTPError]) -> None:
    rejected = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.TooManyRedirects)
    error: httpx.HTTPError = kind.__new__(kind)
    httpx.HTTPError.__init__(error, f"Bearer {KEY}")
    expected = ProviderRejected if issubclass(kind, rejected) else ProviderUnavailable
    assert type(raised(error)) is expected


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 405, 409, 413, 422, 498])
def test_what_will_never_be_accepted(status: int) -> None:
    assert type(raised(api_error(status))) is ProviderRejected


@pytest.mark.parametrize("status", [200, 408, 429, 499, 500, 501, 502, 503, 504, 529])
def test_what_may_be_accepted_later(status: int) -> None:
    assert type(raised(api_error(status))) is ProviderUnavailable


def test_a_refused_key_says_what_to_check() -> None:
    assert "check CO_API_KEY" in str(raised(api_error(401)))


def test_the_service_s_own_words_are_passed_on() -> None:
    assert str(raised(api_error(422))) == "Cohere refused the request (422): Too bad."


@pytest.mark.parametrize(
    "error",
    [
        httpx.LocalProtocolError(f"Illegal header value b'Bearer {KEY}'"),
        ApiError(status_code=401, body={"message": f"invalid key {KEY}"}),
        UnicodeEncodeError("ascii", f"Bearer {KEY}", 0, 1, "no"),
    ],
)
def test_no_error_contains_the_key(error: Exception) -> None:
    mapped = raised(error)
    assert KEY not in str(mapped)
    assert mapped.__cause__ is None
    assert mapped.__suppress_context__


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7", 7.0),
        (" 0.5 ", 0.5),
        ("0", 0.0),
        ("999999999999", 3600.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("-5", None),
        ("1e999", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after(value: str, expected: float | None) -> None:
    error = raised(api_error(429, **{"Retry-After": value}))
    assert isinstance(error, ProviderUnavailable)
    assert error.retry_after_s == expected


def test_retry_after_as_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    error = raised(api_error(503, **{"retry-after": date}))
    assert isinstance(error, ProviderUnavailable)
    assert error.retry_after_s == pytest.approx(90, abs=5)


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x"), ValueError("x")])
def test_an_answer_of_the_wrong_shape_keeps_its_cause(error: Exception) -> None:
    mapped = raised(error)
    assert type(mapped) is ProviderUnavailable
    assert mapped.__cause__ is error


def test_our_own_errors_pass_through() -> None:
    error = SERVICE.malformed_answer("three were due")
    assert raised(error) is error


def test_a_bug_elsewhere_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), cohere_errors():
        raise ZeroDivisionError
