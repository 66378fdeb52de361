"""Matching: rare words, best sentences, contexts, phrases, evidence."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.providers.base import Passage, Purpose, Vectors
from core.providers.local.analysis import PassageAnalyzer
from core.providers.local.matching import Matches, PassageMatch, match
from core.settings import Settings
from tests.unit.core.providers.fakes import HashEmbedder


class ConstantEmbedder(HashEmbedder):
    """An embedder that hardly tells texts apart."""

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        rows = np.eye(len(texts), self.dimension, dtype=np.float32) + 0.2
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def passages(*texts: str, context: str = "") -> list[Passage]:
    return [Passage(f"c{n}", f"d{n}", text, context=context) for n, text in enumerate(texts)]


def matches_of(query: str, *texts: str) -> Matches:
    return matches_in(query, passages(*texts))


def matches_in(query: str, given_: Sequence[Passage]) -> Matches:
    return match(PassageAnalyzer(HashEmbedder()), query, given_)


def test_one_call_embeds_everything() -> None:
    embedder = HashEmbedder()
    match(
        PassageAnalyzer(embedder),
        "question",
        passages("One here. Two here.", "Three.", context="Numbers"),
    )
    assert embedder.calls == [
        ("question", "Numbers", "Numbers", "One here.", "Two here.", "Three.")
    ]


def test_a_passage_is_as_good_as_its_best_sentence() -> None:
    long = "Something else entirely. The timeout is in seconds. And more of other things."
    matches = matches_of("timeout in seconds", "Other words here.", long)
    best = max(matches.sentences, key=lambda sentence: sentence.score)
    assert long[best.start : best.end] == "The timeout is in seconds."
    assert matches.passages[1].best == best.score > matches.passages[0].best


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    texts = ("Files are opened.", "Files are closed.", "Files are kept.", "Sockets are kept.")
    best = [one.best for one in matches_of("files sockets", *texts).passages]
    assert max(best) == best[3]


def test_a_context_speaks_for_its_passage() -> None:
    contexts = ("", "Timeouts in seconds", "Harbours of Lanka")
    given_ = [one for context in contexts for one in passages("It waits.", context=context)]
    without, right, wrong = matches_in("timeouts in seconds", given_).passages
    assert wrong.context < without.context == 0 < right.context
    assert (without.title, right.title, wrong.title) == (0, 1, 0)
    assert without.best == right.best
    assert without.evidence < right.evidence


def test_a_title_counts_by_the_share_of_its_words_that_are_asked_for() -> None:
    contexts = ("Timeouts › Seconds", "Timeouts of sockets › Seconds")
    given_ = [one for context in contexts for one in passages("It waits.", context=context)]
    titles = [one.title for one in matches_in("timeouts in seconds", given_).passages]
    assert titles == [1, 0.5]


def test_a_topic_is_what_sets_a_passage_apart() -> None:
    texts = ("Ports in Lanka are deep.", "Ports in Lanka are old.", "Ports in Lanka are busy.")
    topics = [one.topic for one in matches_of("deep ports", *texts).passages]
    assert topics[0] == max(topics) > 0 > min(topics)


def test_neighbouring_words_are_a_phrase() -> None:
    texts = ("A line in red is straight.", "It is a straight line.", "Lines, then straight.")
    phrases = [one.phrases for one in matches_of("draw a straight line", *texts).passages]
    assert phrases == [0, 0.5, 0]


def test_evidence_is_of_the_passage_alone() -> None:
    text = "The timeout is in seconds."
    alone = matches_of("timeout in seconds", text).passages[0].evidence
    among = matches_of("timeout in seconds", text, "Timeout.", "Seconds.").passages[0].evidence
    assert alone == pytest.approx(among)
    assert alone > matches_of("harbour of Lanka", text).passages[0].evidence


TABLE = """| fruit | price |
|---|---|
| apple | 2.10 |
| pear | 1.20 |
| plum | 3.40 |
| quince | 4.00 |
| cherry | 6.50 |"""


def test_a_row_below_its_header_has_evidence_of_its_own() -> None:
    one = matches_of("price of a pear", "| fruit | price |\n|---|---|\n| pear | 1.20 |")
    among = matches_of("price of a pear", TABLE)
    assert among.passages[0].evidence == pytest.approx(one.passages[0].evidence, abs=0.2)
    assert among.passages[0].evidence > matches_of("price of bread", TABLE).passages[0].evidence


def test_a_row_is_scored_with_its_header_and_quoted_without() -> None:
    matches = matches_of("price of a pear", TABLE)
    best = max(matches.sentences, key=lambda sentence: sentence.score)
    assert TABLE[best.start : best.end] == "| pear | 1.20 |"


def test_a_row_that_has_few_of_the_words_has_no_evidence_of_its_own() -> None:
    asked = "price of a gallery ticket in Vienna"
    floor = Settings.model_fields["answer_floor"].default
    assert matches_of(asked, TABLE).passages[0].evidence < floor


def test_a_cosine_is_less_evidence_where_all_texts_look_alike() -> None:
    analyzer = PassageAnalyzer(ConstantEmbedder())
    japanese = match(analyzer, "カレーは？", passages("富士山は高いです。"))
    english = match(analyzer, "curry", passages("Mount Fuji is high."))
    assert japanese.passages[0].evidence < 0.7 * english.passages[0].evidence


def test_a_blank_passage_scores_below_all() -> None:
    blank, unrelated, white = matches_of("question", "", "Unrelated words.", " \n").passages
    assert blank == white == PassageMatch()
    assert blank.best == -1.0 < unrelated.best


def test_nothing_to_match() -> None:
    assert matches_of("question") == Matches((), ())


@given(st.text(max_size=40), st.lists(st.text(max_size=80), max_size=5))
def test_scores_are_bounded_and_spans_are_in_their_texts(query: str, texts: list[str]) -> None:
    matches = matches_of(query, *texts)
    assert len(matches.passages) == len(texts)
    for one in matches.passages:
        assert all(-1.001 <= x <= 1.001 for x in (one.best, one.context, one.evidence))
        assert 0 <= one.phrases <= 1
    for sentence in matches.sentences:
        assert texts[sentence.passage][sentence.start : sentence.end].strip()
