"""Paths, conditions and delays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nalanda import (
    ConflictError,
    ConnectionFailed,
    InvalidAddress,
    InvalidName,
    NalandaError,
    RateLimitedError,
    UnavailableError,
)
from nalanda._requests import LONGEST_DELAY_S, delay_s, path_of, query_of, write_request


def test_names_are_quoted() -> None:
    assert path_of("libraries", "a b/ü?") == "/libraries/a%20b%2F%C3%BC%3F"


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_a_url_would_swallow(name: str) -> None:
    with pytest.raises(InvalidName, match="neither an id"):
        path_of("libraries", name)


def test_parameters_that_are_not_given_are_not_sent() -> None:
    assert query_of(name=None, limit=3, filter={"a": 1}) == {"limit": 3, "filter": '{"a":1}'}


def test_a_version_becomes_an_etag() -> None:
    assert write_request("PUT", "/x", if_match=7).headers["If-Match"] == '"7"'
    assert write_request("PUT", "/x", if_match='"abc"').headers["If-Match"] == '"abc"'
    assert "If-Match" not in write_request("PUT", "/x").headers


def test_each_write_has_a_key_of_its_own() -> None:
    keys = {write_request("PUT", "/x").headers["Idempotency-Key"] for _ in range(3)}
    assert len(keys) == 3


@given(st.integers(0, 60))
def test_pauses_grow_and_stay_bounded(attempt: int) -> None:
    delay = delay_s(ConnectionFailed(), attempt)
    assert delay is not None
    assert 0 < delay <= LONGEST_DELAY_S
    later = delay_s(ConnectionFailed(), attempt + 2)
    assert later is not None
    assert later >= min(delay, LONGEST_DELAY_S / 2)


@given(st.floats(0, 100), st.integers(0, 10))
def test_never_before_the_server_wants_it(seconds: float, attempt: int) -> None:
    for kind in (UnavailableError, RateLimitedError):
        delay = delay_s(kind(503, "later", retry_after_s=seconds), attempt)
        assert delay is not None
        assert delay >= seconds


@pytest.mark.parametrize("error", [InvalidAddress(), ConflictError(409, "taken"), NalandaError()])
def test_no_point_in_a_retry(error: NalandaError) -> None:
    assert delay_s(error, 0) is None
