"""Retries, deadlines, keys, positions and pages."""

import httpx
import pytest

from nalanda import (
    ConnectionFailed,
    Nalanda,
    NotFoundError,
    PreconditionFailedError,
    RateLimitedError,
    TimedOut,
    UnavailableError,
)
from tests.unit.sdk.script import LIBRARY, Script, ok, page, problem

REFUSED = httpx.ConnectError("refused")
VERSION = ok({"version": "1"})


@pytest.mark.parametrize(
    "failure",
    [REFUSED, httpx.ReadError("cut"), *(problem(status) for status in (429, 502, 503, 504))],
    ids=str,
)
def test_it_tries_again(failure: httpx.Response | Exception, sleeps: list[float]) -> None:
    script = Script(failure, failure, VERSION)
    with script.client() as client:
        assert client.version().version == "1"
    assert len(script.requests) == 3
    assert len(sleeps) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 409, 412, 422, 500, 507])
def test_it_takes_no_for_an_answer(status: int, sleeps: list[float]) -> None:
    script = Script(problem(status))
    with script.client() as client, pytest.raises(Exception, match=str(status)):
        client.version()
    assert len(script.requests) == 1
    assert sleeps == []


@pytest.mark.parametrize("max_retries", [0, 1, 3])
def test_it_gives_up(max_retries: int, sleeps: list[float]) -> None:
    script = Script(REFUSED)
    with script.client(max_retries=max_retries) as client, pytest.raises(ConnectionFailed):
        client.version()
    assert len(script.requests) == max_retries + 1


def test_it_waits_as_long_as_the_server_says(sleeps: list[float]) -> None:
    with Script(problem(429, retry_after="3"), VERSION).client() as client:
        client.version()
    assert sleeps == [3]


def test_it_does_not_wait_beyond_its_time(sleeps: list[float]) -> None:
    script = Script(problem(503, retry_after="20"))
    with script.client(timeout_s=30) as client, pytest.raises(UnavailableError):
        client.version()
    assert sleeps == [20]


def test_each_attempt_has_the_time_that_is_left(sleeps: list[float]) -> None:
    script = Script(problem(503, retry_after="20"), VERSION)
    with script.client(timeout_s=30) as client:
        client.version()
    first, second = (request.extensions["timeout"] for request in script.requests)
    assert first["read"] == pytest.approx(30, abs=1)
    assert second["read"] == pytest.approx(10, abs=1)
    assert first["connect"] == 5


def test_the_last_error_is_the_one_raised(sleeps: list[float]) -> None:
    script = Script(REFUSED, problem(429))
    with script.client(max_retries=1) as client, pytest.raises(RateLimitedError):
        client.version()


def test_a_creating_post_keeps_its_key_across_retries(sleeps: list[float]) -> None:
    script = Script(REFUSED, ok(LIBRARY, status=201))
    with script.client() as client:
        client.libraries.create("a")
        client.libraries.create("a")
    first, again, other = (request.headers["Idempotency-Key"] for request in script.requests)
    assert first == again != other
    assert len(first) == 32


def test_a_conditional_write_keeps_its_key_too(sleeps: list[float]) -> None:
    script = Script(REFUSED, ok(LIBRARY), problem(412))
    with script.client() as client:
        client.libraries.update("a", {"description": None}, if_match=7)
        first, again = (request.headers for request in script.requests)
        assert first["If-Match"] == again["If-Match"] == '"7"'
        assert first["Idempotency-Key"] == again["Idempotency-Key"]
        with pytest.raises(PreconditionFailedError):
            client.libraries.delete("a", if_match=7)


def test_a_timeout_is_tried_again_within_the_time(sleeps: list[float]) -> None:
    script = Script(httpx.ConnectTimeout("slow"))
    with script.client(max_retries=2) as client, pytest.raises(TimedOut):
        client.version()
    assert len(script.requests) == 3


def test_the_position_is_the_highest_seen() -> None:
    bodies = [
        ok(LIBRARY, position=3),
        ok(LIBRARY, position=8),
        ok(LIBRARY, position=5),
        problem(404),
    ]
    with Script(*bodies).client() as client:
        assert client.position == 0
        for _ in range(3):
            client.libraries.get("a")
        with pytest.raises(NotFoundError):
            client.libraries.get("b")
        assert client.position == 8


def test_the_key_goes_with_every_request() -> None:
    script = Script(VERSION)
    with script.client(api_key="k") as client:
        client.version()
    assert script.last.headers["Authorization"] == "Bearer k"
    with script.client() as client:
        client.version()
    assert "Authorization" not in script.last.headers


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(VERSION)
    monkeypatch.setenv("NALANDA_API_URL", "http://elsewhere:1/below")
    with Nalanda(transport=script) as client:
        client.version()
    monkeypatch.delenv("NALANDA_API_URL")
    with Nalanda(transport=script) as client:
        client.version()
    assert [str(request.url) for request in script.requests] == [
        "http://elsewhere:1/below/version",
        "http://127.0.0.1:8000/version",
    ]


def test_pages_are_fetched_as_they_are_asked_for() -> None:
    script = Script(page([LIBRARY, LIBRARY], "next"), page([LIBRARY]))
    with script.client() as client:
        libraries = client.libraries.list("a&b", page_size=2)
        next(libraries)
        next(libraries)
        assert len(script.requests) == 1
        assert len(list(libraries)) == 1
    first, second = (dict(request.url.params) for request in script.requests)
    assert first == {"name": "a&b", "limit": "2"}
    assert second == {**first, "cursor": "next"}
