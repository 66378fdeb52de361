"""Every error of the SDK and of its HTTP clients is one of the project's two."""

from collections.abc import Iterator

import httpx
import httpx2
import openai
import pytest

from core.domain.errors import ProviderError, ProviderRejected, ProviderUnavailable
from core.providers.openai.errors import openai_errors
from core.providers.service import Service

KEY = "sk-proj-0123456789abcdef"
SERVICE = Service("OpenAI", "OPENAI_API_KEY", "NALANDA_OPENAI_BASE_URL")
REQUEST = httpx2.Request("POST", "http://server/v1", headers={"Authorization": f"Bearer {KEY}"})


def raised(error: BaseException) -> ProviderError:
    with pytest.raises(ProviderError) as caught, openai_errors(SERVICE):
        raise error
    return caught.value


def below(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from below(inner)


def status_error(status: int, body: object = None, **headers: str) -> openai.APIStatusError:
    response = httpx2.Response(status, headers=headers, request=REQUEST)
    return openai.APIStatusError(f"with {KEY}", response=response, body=body)


@pytest.mark.parametrize("kind", sorted(set(below(openai.OpenAIError)), key=str))
def test_no_error_of_the_sdk_is_unmapped(kind: type[openai.OpenAIError]) -> None:
    error: openai.OpenAIError = kind.__new__(kind)
    error.__dict__.update(vars(status_error(500)))
    assert type(raised(error)) in (ProviderRejected, ProviderUnavailable)


@pytest.mark.parametrize(
    "kind", sorted({*below(httpx.HTTPError), *below(httpx2.HTTPError)}, key=str)
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_no_error_of_the_transport_is_unmapped(kind: type[Exception], wrapped: bool) -> None:
    error = kind.__new__(kind)
    error.args = (f"Bearer {KEY}",)
    refused = ("UnsupportedProtocol", "LocalProtocolError", "TooManyRedirects")
    expected = ProviderRejected if kind.__name__ in refused else ProviderUnavailable
    outer: Exception = error
    if wrapped:
        outer = openai.APIConnectionError(request=REQUEST)
        outer.__cause__ = error
    mapped = raised(outer)
    assert type(mapped) is expected
    assert KEY not in str(mapped)


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 405, 409, 413, 422])
def test_what_will_never_be_accepted(status: int) -> None:
    assert type(raised(status_error(status))) is ProviderRejected


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_what_may_be_accepted_later(status: int) -> None:
    assert type(raised(status_error(status))) is ProviderUnavailable


def test_used_up_credit_is_not_tried_again() -> None:
    error = status_error(429, {"code": "insufficient_quota", "message": "You exceeded it."})
    assert type(raised(error)) is ProviderRejected


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "No such model."}, ": No such model"),
        ({"detail": "Too long."}, ": Too long"),
        ({"error": "Input validation error"}, ": Input validation error"),
        ({"message": 3}, ""),
        ("plain\ntext", ": plain text"),
        (None, ""),
    ],
)
def test_the_server_s_words_are_passed_on(body: object, said: str) -> None:
    assert str(raised(status_error(404, body))) == f"OpenAI refused the request (404){said}."


def test_a_key_in_the_server_s_words_is_masked() -> None:
    error = raised(status_error(403, {"message": f"{KEY} may not use gpt-4.1-mini-2025-04-14."}))
    assert str(error) == "OpenAI refused the request (403): … may not use gpt-4.1-mini-2025-04-14."
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_retry_after() -> None:
    error = raised(status_error(429, **{"Retry-After": "7"}))
    assert isinstance(error, ProviderUnavailable)
    assert error.retry_after_s == 7


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x"), ValueError("x")])
def test_an_answer_of_the_wrong_shape_keeps_its_cause(error: Exception) -> None:
    mapped = raised(error)
    assert type(mapped) is ProviderUnavailable
    assert mapped.__cause__ is error


def test_our_own_errors_pass_through() -> None:
    error = SERVICE.malformed_answer("three were due")
    assert raised(error) is error


def test_a_bug_elsewhere_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), openai_errors(SERVICE):
        raise ZeroDivisionError
