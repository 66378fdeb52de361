"""The analyses that are kept: equal to new ones, found again, and within their memory."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core.providers.base import Passage
from core.providers.local.analysis import PassageAnalyzer
from core.providers.local.matching import match
from tests.unit.core.providers.fakes import HashEmbedder

TABLE = "| fruit | price |\n|---|---|\n| pear | 1.20 |"
PASSAGES = [
    Passage("c1", "d1", "A timeout is given. It is in seconds.", context="Timeouts › Seconds"),
    Passage("c2", "d1", TABLE),
    Passage("c3", "d2", " "),
]


def test_only_the_question_is_embedded_of_passages_that_are_known() -> None:
    embedder = HashEmbedder()
    analyzer = PassageAnalyzer(embedder)
    analyzer.analyze("Is it a timeout?", PASSAGES)
    analyzer.analyze("Are they seconds?", PASSAGES[::-1])
    assert embedder.calls[1:] == [("Are they seconds?",)]


def test_a_known_passage_matches_as_a_new_one() -> None:
    analyzer = PassageAnalyzer(HashEmbedder())
    match(analyzer, "Is it a timeout?", PASSAGES)
    fresh = PassageAnalyzer(HashEmbedder())
    asked = "What is the price of a pear?"
    assert match(analyzer, asked, PASSAGES) == match(fresh, asked, PASSAGES)


@pytest.mark.parametrize(
    "other",
    [
        Passage("c1", "d1", "A timeout is given. It is in hours.", context="Timeouts › Seconds"),
        Passage("c1", "d1", "A timeout is given. It is in seconds.", context="Timeouts"),
    ],
)
def test_another_text_or_context_is_analysed(other: Passage) -> None:
    embedder = HashEmbedder()
    analyzer = PassageAnalyzer(embedder)
    analyzer.analyze("timeout", PASSAGES)
    _, (analysis,) = analyzer.analyze("timeout", [other])
    _, (expected,) = PassageAnalyzer(HashEmbedder()).analyze("timeout", [other])
    assert analysis.parts == expected.parts
    assert np.array_equal(analysis.context, expected.context)


def test_stop_words_are_those_of_the_question_s_language() -> None:
    analyzer = PassageAnalyzer(HashEmbedder())
    passages = [Passage("c", "d", "Die Kette ist alt.")]
    _, (english,) = analyzer.analyze("How old is the chain?", passages)
    _, (german,) = analyzer.analyze("Wie alt ist die Kette?", passages)
    assert english.parts[0].words == ("die", "kett", "ist", "alt")
    assert german.parts[0].words == ("kett", "alt")


def test_the_same_passage_twice_is_analysed_once() -> None:
    embedder = HashEmbedder()
    _, analyses = PassageAnalyzer(embedder).analyze("timeout", [PASSAGES[0]] * 2)
    assert len(analyses) == 2
    assert len(embedder.calls[0]) == 1 + 1 + 2


def test_an_analyzer_without_memory_forgets() -> None:
    embedder = HashEmbedder()
    analyzer = PassageAnalyzer(embedder, capacity_bytes=0)
    first, second = (match(analyzer, "timeout", PASSAGES) for _ in range(2))
    assert first == second
    assert embedder.calls[0] == embedder.calls[1]


def test_threads_share_an_analyzer() -> None:
    analyzer = PassageAnalyzer(HashEmbedder(), capacity_bytes=4_000)
    expected = match(PassageAnalyzer(HashEmbedder()), "timeout", PASSAGES)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: match(analyzer, "timeout", PASSAGES), range(64)))
    assert all(one == expected for one in found)
