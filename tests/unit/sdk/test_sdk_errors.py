"""Every failure is an error of the SDK's tree."""

import inspect
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

import nalanda
from nalanda import (
    ApiError,
    ConnectionFailed,
    InvalidAddress,
    Nalanda,
    NalandaError,
    ServerError,
    TimedOut,
    UnavailableError,
    UnexpectedAnswerError,
)
from nalanda._errors import retry_after_s
from tests.unit.sdk.script import Script, ok, page, problem

HTTPX = [getattr(httpx, name) for name in httpx.__all__]
EXCEPTIONS = [e for e in HTTPX if isinstance(e, type) and issubclass(e, Exception)]


def made(error: type[Exception]) -> Exception:
    """Return one of httpx's exceptions, with any required arguments."""
    request = httpx.Request("GET", "http://server")
    if issubclass(error, httpx.HTTPStatusError):
        return error("no", request=request, response=httpx.Response(500, request=request))
    takes_a_message = inspect.signature(error).parameters
    return error("no") if takes_a_message else error()


@pytest.mark.parametrize("error", EXCEPTIONS, ids=lambda e: e.__name__)
def test_none_of_httpx_is_left_unmapped(error: type[Exception]) -> None:
    with (
        Script(made(error)).client(max_retries=0) as client,
        pytest.raises(NalandaError) as raised,
    ):
        client.version()
    assert isinstance(raised.value.__cause__, error)


@pytest.mark.parametrize(
    ("error", "mapped"),
    [
        (httpx.ConnectError, ConnectionFailed),
        (httpx.RemoteProtocolError, ConnectionFailed),
        (httpx.ReadTimeout, TimedOut),
        (httpx.UnsupportedProtocol, InvalidAddress),
    ],
)
def test_what_they_become(error: type[Exception], mapped: type[NalandaError]) -> None:
    with Script(made(error)).client(max_retries=0) as client, pytest.raises(mapped):
        client.version()


@pytest.mark.parametrize(
    "url", ["http://host:x", "http://[zz]", "localhost:8000", "nowhere", "ftp://host"]
)
def test_a_base_url_that_is_none(url: str) -> None:
    with pytest.raises(InvalidAddress, match="is not the address"), Nalanda(url) as client:
        client.version()


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (412, "PreconditionFailedError"),
        (413, "PayloadTooLargeError"),
        (415, "ApiError"),
        (422, "ValidationError"),
        (429, "RateLimitedError"),
        (500, "ServerError"),
        (502, "UnavailableError"),
        (503, "UnavailableError"),
        (507, "ServerError"),
        (307, "ApiError"),
        (599, "ServerError"),
    ],
)
def test_a_status_has_its_class(status: int, name: str) -> None:
    answer = problem(status, title="T", detail="because")
    with Script(answer).client(max_retries=0) as client, pytest.raises(ApiError) as raised:
        client.version()
    assert type(raised.value) is getattr(nalanda, name)
    assert (raised.value.status, raised.value.title, raised.value.detail) == (
        status,
        "T",
        "because",
    )
    assert str(raised.value) == f"{status} T: because"


def test_faults_point_into_the_input() -> None:
    faults = [{"pointer": "/chunks/0/embedding", "detail": "wrong dimension"}]
    answer = problem(422, title="Invalid", errors=faults)
    with Script(answer).client() as client, pytest.raises(nalanda.ValidationError) as raised:
        client.libraries.create("x")
    assert raised.value.errors == (nalanda.Fault("/chunks/0/embedding", "wrong dimension"),)
    assert raised.value.problem["errors"] == faults
    assert "/chunks/0/embedding: wrong dimension" in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            httpx.Response(502, html="<h1>Bad  gateway</h1>"),
            "502 Bad Gateway: <h1>Bad gateway</h1>",
        ),
        (httpx.Response(500), "500 Internal Server Error: no details"),
        (httpx.Response(500, json=["?"]), '500 Internal Server Error: ["?"]'),
        (httpx.Response(500, json={"errors": "no"}), "500 Internal Server Error: no details"),
    ],
)
def test_a_body_that_is_no_problem_document(answer: httpx.Response, said: str) -> None:
    with Script(answer).client(max_retries=0) as client, pytest.raises(ServerError) as raised:
        client.version()
    assert str(raised.value) == said


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(200, html="<p>Welcome</p>"), ok({"nothing": 1}), httpx.Response(204)],
)
def test_a_success_that_is_not_nalandas(answer: httpx.Response) -> None:
    with (
        Script(answer).client() as client,
        pytest.raises(UnexpectedAnswerError, match="http://server/version"),
    ):
        client.version()


def test_an_item_that_is_not_nalandas() -> None:
    with (
        Script(page([{"id": "x"}])).client() as client,
        pytest.raises(UnexpectedAnswerError, match="version: Field required"),
    ):
        list(client.libraries.list())


def test_retry_after_reaches_the_caller() -> None:
    answer = problem(503, retry_after="7")
    with Script(answer).client(max_retries=0) as client, pytest.raises(UnavailableError) as raised:
        client.version()
    assert raised.value.retry_after_s == 7


def test_retry_after_as_a_date() -> None:
    then = datetime.now(UTC) + timedelta(seconds=60)
    seconds = retry_after_s(format_datetime(then, usegmt=True))
    assert seconds is not None
    assert 50 < seconds <= 60
    assert retry_after_s(format_datetime(then - timedelta(days=1), usegmt=True)) == 0


@pytest.mark.parametrize("header", [None, "", "soon", "-1"])
def test_retry_after_that_says_nothing(header: str | None) -> None:
    assert retry_after_s(header) is None
