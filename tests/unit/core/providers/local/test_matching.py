"""Matching: words, rare words, best sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.providers.local.matching import match
from core.providers.words import words
from tests.unit.core.providers.fakes import HashEmbedder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How do I run the subprocesses?", {"run", "subprocess"}),
        ("asyncio.wait_for", {"asyncio", "wait"}),
        ("TimeoutExpired", {"timeout", "expir"}),
        ("Fécamp, Straße 12", {"fécamp", "straß", "12"}),
        ("of the", set()),
    ],
)
def test_words(text: str, expected: set[str]) -> None:
    assert words(text) == expected


def test_one_call_embeds_everything() -> None:
    embedder = HashEmbedder()
    match(embedder, "question", ["One here. Two here.", "Three here."])
    assert embedder.calls == [("question", "One here.", "Two here.", "Three here.")]


def test_a_passage_is_as_good_as_its_best_sentence() -> None:
    long = "Something else entirely. The timeout is in seconds. And more of other things."
    matches = match(HashEmbedder(), "timeout in seconds", ["Other words here.", long])
    best = max(matches.sentences, key=lambda sentence: sentence.score)
    assert long[best.start : best.end] == "The timeout is in seconds."
    assert matches.passages[1] > matches.passages[0]


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    texts = ["Files are opened.", "Files are closed.", "Files are kept.", "Sockets are kept."]
    matches = match(HashEmbedder(), "files sockets", texts)
    assert max(matches.passages) == matches.passages[3]


def test_a_blank_passage_scores_below_all() -> None:
    matches = match(HashEmbedder(), "question", ["", "Unrelated words.", " \n"])
    assert matches.passages[0] == matches.passages[2] == -1.0 < matches.passages[1]


def test_nothing_to_match() -> None:
    matches = match(HashEmbedder(), "question", [])
    assert (matches.sentences, matches.passages) == ((), ())


@given(st.text(max_size=40), st.lists(st.text(max_size=80), max_size=5))
def test_scores_are_bounded_and_spans_are_in_their_texts(query: str, texts: list[str]) -> None:
    matches = match(HashEmbedder(), query, texts)
    assert len(matches.passages) == len(texts)
    assert all(-1.001 <= score <= 1.001 for score in matches.passages)
    for sentence in matches.sentences:
        assert texts[sentence.passage][sentence.start : sentence.end].strip()
