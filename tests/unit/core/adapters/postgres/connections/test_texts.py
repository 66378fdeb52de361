"""Escaped texts: nothing lost, no NUL, and the order as it was."""

from hypothesis import given
from hypothesis import strategies as st

from core.adapters.postgres.connections.texts import escape, unescape

TEXTS = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("\x00\x01\x02\x03")))


@given(TEXTS)
def test_it_comes_back_and_holds_no_nul(text: str) -> None:
    assert unescape(escape(text)) == text
    assert "\x00" not in escape(text)


@given(TEXTS, TEXTS)
def test_the_order_stays(first: str, second: str) -> None:
    before, after = sorted([first, second])
    assert escape(before) <= escape(after)


def test_most_texts_stay_the_same_object() -> None:
    text = "naïve 🦀"
    assert escape(text) is text
    assert unescape(text) is text
