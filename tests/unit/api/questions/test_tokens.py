"""Tokens have the same ids after a restart, and the last attempt's alone are shown."""

import pytest

from api.questions import tokens
from api.questions.tokens import FIRST, PER_ATTEMPT, TokenLog


def shown(log: TokenLog, after: int = 41) -> list[tuple[int, str, object]]:
    return [(event.number, event.name, event.content) for event in log.events("q", after)]


def test_tokens_are_numbered_in_order() -> None:
    log = TokenLog()
    assert log.add("q", 0, 0, ["Nine ", "fathoms"]) == 2
    assert log.add("q", 0, 2, ["."]) == 3
    assert shown(log) == [
        (FIRST + 1, "token", {"text": "Nine "}),
        (FIRST + 2, "token", {"text": "fathoms"}),
        (FIRST + 3, "token", {"text": "."}),
    ]
    assert shown(log, FIRST + 2) == [(FIRST + 3, "token", {"text": "."})]
    assert list(log.events("other", 41)) == []


def test_a_batch_that_is_sent_again_counts_once() -> None:
    log = TokenLog()
    log.add("q", 0, 0, ["a", "b"])
    assert log.add("q", 0, 1, ["b", "c"]) == 3
    assert [content for _, _, content in shown(log)] == [{"text": text} for text in "abc"]


def test_after_a_restart_all_are_asked_for_and_have_their_ids_again() -> None:
    log = TokenLog()
    assert log.add("q", 0, 2, ["c"]) == 0
    assert log.add("q", 0, 0, ["a", "b", "c"]) == 3
    assert shown(log, FIRST + 2) == [(FIRST + 3, "token", {"text": "c"})]


def test_a_new_attempt_voids_the_tokens_so_far() -> None:
    log = TokenLog()
    log.add("q", 0, 0, ["a", "b"])
    assert log.add("q", 1, 0, ["A"]) == 1
    base = FIRST + PER_ATTEMPT
    expected = [(base, "retry", {"attempt": 2}), (base + 1, "token", {"text": "A"})]
    assert shown(log) == shown(log, FIRST + 2) == expected
    assert log.add("q", 0, 2, ["late"]) == 3
    assert shown(log) == expected


def test_an_attempt_without_tokens_is_announced() -> None:
    log = TokenLog()
    log.add("q", 0, 0, ["a"])
    assert log.add("q", 6, 0, []) == 0
    assert shown(log) == [(FIRST + 6 * PER_ATTEMPT, "retry", {"attempt": 7})]


def test_the_oldest_are_dropped_beyond_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_BYTES", 10)
    log = TokenLog()
    log.add("q", 0, 0, ["12345678"])
    log.add("r", 0, 0, ["1234"])
    assert shown(log) == []
    assert len(list(log.events("r", 41))) == 1


async def test_readers_are_told() -> None:
    log = TokenLog()
    with log.reader("q") as one, log.reader("q") as two, log.reader("r") as other:
        log.add("q", 0, 0, ["a"])
        assert (one.is_set(), two.is_set(), other.is_set()) == (True, True, False)
    log.add("q", 0, 1, ["b"])


def test_more_tokens_than_ids_are_not_shown() -> None:
    log = TokenLog()
    assert log.add("q", 0, 0, ["x"] * (PER_ATTEMPT + 5)) == PER_ATTEMPT + 5
    numbers = [number for number, _, _ in shown(log)]
    assert numbers[-1] == FIRST + PER_ATTEMPT - 1
