"""Problems that repeat the client's input: at most 50 faults and 64 KiB."""

import json

from api.http.errors import MAX_PROBLEM_BYTES, problem
from core.domain.errors import Fault, Invalid


def test_a_problem_is_bounded_whatever_it_repeats() -> None:
    long = "\x01" * 100_000
    faults = [Fault(long, long)] * 10_000
    response = problem(422, str(Invalid(faults)), instance=long, faults=faults)
    assert len(response.body) <= MAX_PROBLEM_BYTES
    assert 1 <= len(json.loads(bytes(response.body))["errors"]) <= 50


def test_a_short_problem_is_whole() -> None:
    response = problem(422, "d", instance="/p", faults=[Fault("/a", "b")])
    assert json.loads(bytes(response.body))["errors"] == [{"pointer": "/a", "detail": "b"}]
