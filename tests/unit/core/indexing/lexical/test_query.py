"""Queries: phrases, prefixes, stop words and broken syntax."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.library import Language
from core.indexing.lexical.bm25 import LexicalIndex, LexicalReader

TEXTS = (
    "To be, or not to be: that is the question.",
    "Not that it is to be a question.",
    "Vitamin A is in carrots. Vitamin B is a different one.",
    "A vitamin: B12, which is in a fish.",
    "La Sécurité sociale informs its members of new information.",
    "The house has the rules of the house.",
)


def search(query: str, *texts: str, language: Language = Language.ENGLISH) -> list[int]:
    return ranked(LexicalIndex(language).change(enumerate(texts or TEXTS), []), query)


def ranked(reader: LexicalReader, query: str) -> list[int]:
    row_ids: list[int] = reader.search(query, 10).row_ids.tolist()
    return row_ids


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ('"to be or not to be"', {0}),
        ('"Vitamin A"', {2}),
        ('"vitamin b"', {2}),
        ('"securite SOCIALE"', {4}),
        ("“that is the question”", {0}),
        ("„a question“", {1}),
        ("« not that »", {1}),
        ('"is in a fish" "a vitamin"', {3}),
        ('"is in" "the question"', set()),
        ('"carrots"', {2}),
        ('carrots "is in a"', {3}),
        ('"carrot"', set()),
        ('"rules house"', set()),
    ],
)
def test_a_phrase_must_be_in_the_text(query: str, rows: set[int]) -> None:
    assert set(search(query)) == rows


def test_the_other_words_of_a_query_rank_what_has_the_phrase() -> None:
    texts = ("the red house", "the red house by the lake", "a lake")
    assert search('lake "red house"', *texts) == [1, 0]


@pytest.mark.parametrize(
    "query", ['"carrots', 'carrots"', 'carrots "', '"carrots" "', "“carrots", '5" carrots']
)
def test_a_broken_quote_has_no_meaning(query: str) -> None:
    assert search(query) == [2]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("informat*", {4}),
        ("INFO*", {4}),
        ("sécur*", {4}),
        ("(secur*),", {4}),
        ("carrots* fis*", {2, 3}),
        ("b1*", {3}),
        ("xyz*", set()),
        ("* carrots", {2}),
        ("**carrots**", {2}),
    ],
)
def test_a_prefix_finds_the_words_that_begin_so(query: str, rows: set[int]) -> None:
    assert set(search(query)) == rows


def test_a_prefix_of_an_identifier() -> None:
    assert search("get_us*", "call get_user()", "get us", "getUser", "target_user") == [0]
    assert set(search("getu*", "call get_user()", "get us", "getUser")) == {0, 2}


def test_stop_words_alone_find_what_has_them() -> None:
    assert set(search("to be or not")) == {0, 1}
    assert set(search("of the")) == {0, 4, 5}


def test_stop_words_are_ignored_next_to_other_words() -> None:
    assert set(search("the carrots")) == {2}


def test_a_stop_word_next_to_a_word_ranks_a_short_query() -> None:
    texts = ("a vitamin B, a vitamin C, a vitamin", "the vitamin A", "vitamin")
    assert search("Vitamin A", *texts)[0] == 1


STOP_WORDS = {
    Language.ARABIC: "في",
    Language.DANISH: "og",
    Language.DUTCH: "het",
    Language.ENGLISH: "the",
    Language.FINNISH: "on",
    Language.FRENCH: "les",
    Language.GERMAN: "und",
    Language.GREEK: "το",
    Language.HUNGARIAN: "az",
    Language.ITALIAN: "il",
    Language.NORWEGIAN: "og",
    Language.PORTUGUESE: "os",
    Language.ROMANIAN: "care",
    Language.RUSSIAN: "и",
    Language.SPANISH: "los",
    Language.SWEDISH: "och",
    Language.TAMIL: "ஒரு",
    Language.TURKISH: "ve",
}


@pytest.mark.parametrize("language", STOP_WORDS)
def test_each_language_has_stop_words(language: Language) -> None:
    """Check by one stop word of each, which finds a text alone, and does not with another word."""
    word = STOP_WORDS[language]
    assert {*STOP_WORDS, Language.NONE, Language.AUTO} == set(Language)
    assert search(word, word, "xylophone", language=language) == [0]
    assert search(f"{word} xylophone", word, "xylophone", language=language) == [1]


@given(st.text(alphabet=st.sampled_from("\"“”„«»*ab \n'.-_/"), max_size=40))
def test_any_text_is_a_query(text: str) -> None:
    for row_id in search(text, "a b ab", "b"):
        assert row_id in {0, 1}
