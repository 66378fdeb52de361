"""The BM25 index: its hits, their order, and free text as queries."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.library import Language
from core.indexing.lexical.bm25 import LexicalIndex, LexicalReader

TEXTS = (
    "The cat sat on the mat.",
    "Dogs chase cats; cats run.",
    "A dog was running in the park.",
    "Nothing to see.",
)


def reader(*texts: str, language: Language = Language.ENGLISH) -> LexicalReader:
    return LexicalIndex(language).change(enumerate(texts), [])


def search(reader: LexicalReader, text: str, k: int = 10) -> list[int]:
    row_ids: list[int] = reader.search(text, k).row_ids.tolist()
    return row_ids


def test_best_first() -> None:
    ranking = reader(*TEXTS).search("cats", 10)
    assert ranking.row_ids.tolist() == [1, 0]
    assert ranking.scores[0] > ranking.scores[1] > 0


def test_words_are_stemmed_as_the_language_is() -> None:
    assert search(reader(*TEXTS), "runs") == [2, 1]
    assert search(reader("Die Häuser", language=Language.GERMAN), "Haus") == [0]
    assert search(reader("houses", language=Language.NONE), "house") == []


@pytest.mark.parametrize("language", Language)
def test_every_language_can_be_searched(language: Language) -> None:
    assert search(reader("x 1234 z", "y", language=language), "1234") == [0]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("東京都に住んでいます。", "東京"),
        ("서울에서 만나요", "서울"),
        ("नमस्ते दुनिया", "दुनिया"),
        ("สวัสดีชาวโลก", "ชาวโลก"),
        ("Привет, мир", "МИР"),
        ("a café in Zürich", "cafe zurich"),
        ("cafe\u0301", "café"),
        ("ＦＵＬＬ width", "full"),
        ("snake_case_name", "case"),
        ("os.path.join(a)", "path.join"),
    ],
)
def test_words_of_any_script(text: str, query: str) -> None:
    assert search(reader("another", text), query) == [1]


@pytest.mark.parametrize(
    "query",
    [
        "",
        " \n",
        "of by",
        "😀",
        '"',
        '""',
        "*",
        "**",
        "+-&&||!(){}[]^~*?:\\/",
        "\ud800",
        "\0",
        "\u0301",
        "ـ",
        "\u200d",
        "q" * 100_000,
    ],
)
def test_a_query_without_a_word_that_is_there_finds_nothing(query: str) -> None:
    ranking = reader(*TEXTS).search(query, 10)
    assert not len(ranking.row_ids)
    assert not len(ranking.scores)


@pytest.mark.parametrize(
    "query", ["cat AND (", "text:cat^2~", "+cat -cat", "[cat TO dog}", "c*t cat"]
)
def test_what_looks_like_syntax_is_text(query: str) -> None:
    assert 0 in search(reader(*TEXTS), query)


def test_a_very_long_query() -> None:
    query = " ".join(f"word{i}" for i in range(10_000)) + " park"
    assert search(reader(*TEXTS), query) == [2]


def test_changes_are_seen_and_earlier_readers_are_not_changed() -> None:
    index = LexicalIndex(Language.ENGLISH)
    first = index.change([(0, "cat"), (1, "dog")], [])
    second = index.change([(2, "cat")], [0])
    assert search(first, "cat") == [0]
    assert search(second, "cat") == [2]
    third = index.change([], [1, 2])
    assert search(third, "cat dog") == []


def test_all_that_tie_with_the_last() -> None:
    ranking = reader(*["same words"] * 20, "words words same").search("same", 3)
    assert set(ranking.row_ids.tolist()) == set(range(20))


def test_among_those_that_are_allowed() -> None:
    texts = reader(*[f"word and n{i}" for i in range(100)])
    allowed = np.arange(50, 60)
    assert texts.search("word n55 n3", 5, allowed).row_ids.tolist()[0] == 55
    assert set(texts.search("word", 100, allowed).row_ids.tolist()) == set(range(50, 60))
    assert not len(texts.search("word", 5, np.empty(0, np.int64)).row_ids)


def test_texts_are_ranked_by_a_word_that_all_have() -> None:
    texts = reader(*["word " * (1 + i % 3) + "x " * (2 - i % 3) for i in range(30_000)])
    ranking = texts.search("word", 30_000)
    assert len(set(ranking.scores.tolist())) == 3
    assert ranking.scores.min() > 0


@pytest.mark.parametrize("cost", [0, 1_000])
def test_many_that_are_allowed(monkeypatch: pytest.MonkeyPatch, cost: int) -> None:
    monkeypatch.setattr("core.indexing.lexical.bm25._LOOKUP_COST", cost)
    texts = reader(*["word " * (1 + i % 7) + "x" * i for i in range(100)])
    allowed = np.arange(0, 100, 3)
    every = texts.search("word", 100)
    is_allowed = np.isin(every.row_ids, allowed)
    few = texts.search("word", 5, allowed)
    assert few.row_ids.tolist()[:5] == every.row_ids[is_allowed].tolist()[:5]
    assert set(texts.search("word", 99, allowed).row_ids.tolist()) == set(allowed.tolist())


def test_the_score_of_given_chunks() -> None:
    texts = reader(*TEXTS)
    ranking = texts.search("cats dogs", 10)
    by_serial = dict(zip(ranking.row_ids.tolist(), ranking.scores.tolist(), strict=True))
    scores = texts.scores("cats dogs", np.array([3, 1, 0, 2]))
    assert scores.tolist() == [by_serial.get(row_id, 0.0) for row_id in (3, 1, 0, 2)]
    assert not texts.scores("of", np.array([0])).any()


WORDS = st.sampled_from(["red", "green", "blue", "one", "two"])
BAGS = st.lists(st.lists(WORDS, max_size=6), min_size=1, max_size=12)


@settings(max_examples=50)
@given(BAGS, st.lists(WORDS, min_size=1, max_size=3), st.integers(1, 5))
def test_scores_are_those_of_the_formula(bags: list[list[str]], asked: list[str], k: int) -> None:
    ranking = reader(*map(" ".join, bags), language=Language.NONE).search(" ".join(asked), k)
    expected = {row_id: score for row_id, score in enumerate(_bm25(bags, set(asked))) if score}
    best = sorted(expected.values(), reverse=True)[:k]
    assert ranking.scores[:k].tolist() == pytest.approx(best, rel=1e-4)
    for row_id, score in zip(ranking.row_ids.tolist(), ranking.scores.tolist(), strict=True):
        assert expected[row_id] == pytest.approx(score, rel=1e-4)


def _bm25(bags: list[list[str]], asked: set[str]) -> list[float]:
    """Score by the BM25 formula; tantivy stores lengths up to 40, as here, exactly."""
    mean = sum(map(len, bags)) / len(bags)
    frequency = Counter(word for bag in bags for word in set(bag))
    scores = []
    for bag in bags:
        score = 0.0
        for word in asked & set(bag):
            n, tf = frequency[word], bag.count(word)
            idf = math.log(1 + (len(bags) - n + 0.5) / (n + 0.5))
            score += idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * len(bag) / mean))
        scores.append(score)
    return scores
