"""Sentences that say the same, and those that only look so."""

import pytest

from core.providers.local.duplicates import say_the_same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The harbour is nine fathoms deep.", "The harbour\n    is nine fathoms deep"),
        ("The harbour is nine fathoms deep.", "the **harbour** is nine fathoms deep!"),
        ("The old harbour is nine fathoms deep.", "The harbour is nine fathoms deep."),
        ("保修期是两年。", "保修期是两年"),
    ],
)
def test_same(one: str, other: str) -> None:
    assert say_the_same(one, other)
    assert say_the_same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The harbour is 9 fathoms deep here.", "The harbour is 12 fathoms deep here."),
        ("Ships from the port sail to Lanka in May.", "Ships from the port sail to Java in May."),
        ("The call does block until it is done.", "The call does not block until it is done."),
        ("Set read_timeout to a number of seconds.", "Set send_timeout to a number of seconds."),
        (
            "Die Tür bleibt am Montag offen und hell.",
            "Die Tür bleibt am Montag nicht offen und hell.",
        ),
        ("保修期是两年。", "保修期是三年。"),
        ("The harbour is deep.", "The river is wide."),
        ("", "The river is wide."),
    ],
)
def test_not_the_same(one: str, other: str) -> None:
    assert not say_the_same(one, other)
    assert not say_the_same(other, one)


def test_nothing_says_the_same_as_nothing() -> None:
    assert say_the_same("", "…")
