"""Words in every script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.providers.words import question_words, stop_words_of, word_sequence, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How do I run the subprocesses?", {"run", "subprocess"}),
        ("asyncio.wait_for", {"asyncio", "wait"}),
        ("TimeoutExpired", {"timeout", "expir"}),
        ("Fécamp, Straße 12", {"fecamp", "strass", "12"}),
        ("ＦＵＬＬ ｗｉｄｔｈ", {"full", "width"}),
        ("of the", set()),
        ("保修期", {"保修", "修期"}),
        ("水", {"水"}),
        ("シミュレーターです", {"シミュ", "ミュレ", "ュレー", "レータ", "ーター"}),
        ("ค่าโดยสาร", {"ค่า", "่าโ", "าโด", "โดย", "ดยส", "ยสา", "สาร"}),
    ],
)
def test_words(text: str, expected: set[str]) -> None:
    assert words(text) == expected


def test_the_order_is_that_of_the_text() -> None:
    assert word_sequence("Run it, then run more.") == ["run", "it", "then", "run", "mor"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Wie oft soll man die Kette ölen?", ["oft", "kett", "olen"]),
        ("Combien coûte une carte ?", ["cout", "cart"]),
        ("Where is the bin folder?", ["bin", "folder"]),
        ("忘记密码怎么办？", ["忘记", "记密", "密码"]),
        ("เรือออกกี่โมง", ["เรื", "รือ", "ือออ"[:3], "ออก", "โมง"]),
    ],
)
def test_a_question_is_asked_in_one_language(question: str, expected: list[str]) -> None:
    asked = question_words(question)
    assert [word for word in expected if word in asked] == expected
    assert not set(asked) & stop_words_of(question)


def test_stop_words_are_those_of_the_language_of_most() -> None:
    assert "die" in stop_words_of("Wie alt ist die Frau?")
    assert "die" not in stop_words_of("Why did the dinosaurs die?")
    assert "the" in stop_words_of("保修期")


@given(st.text(st.characters(codec="ascii")))
def test_ascii_has_the_words_that_it_has_among_other_scripts(text: str) -> None:
    assert word_sequence(text) == word_sequence(f"{text} 水")[:-1]
