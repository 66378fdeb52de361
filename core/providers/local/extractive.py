"""Extractive reranking and answering: by the best matching sentences, no language model."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.contracts.query import Citation
from core.domain.sentences import is_code, is_heading
from core.providers.base import (
    Embedder,
    GeneratedAnswer,
    Passage,
    Reranking,
    ScoredPassage,
)
from core.providers.local.duplicates import say_the_same
from core.providers.local.matching import Matches, PassageMatch, Sentence, match
from core.providers.words import word_sequence

INTRODUCTION = "From the sources (extractive, no language model):"

CONTEXT_WEIGHT, PHRASE_WEIGHT = 0.3, 0.5
"""The weights of context and phrases in a passage's score; search and best sentence have 1."""

_MAX_SOURCES = 3
_MIN_SCORE_SHARE = 0.5
"""The share of the best sentence's score from which a source is quoted."""
_MIN_NEIGHBOUR_SHARE = 0.5
"""The share of a quote's score from which the sentence before or after it is quoted too."""
_MIN_WORDS = 4


class LocalReranker:
    """A reranker by the search's score and the match of a passage with the question."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking:
        matches = match(self._embedder, query, passages).passages
        scores = _scores([passage.score for passage in passages], matches)
        order = np.argsort(-scores, kind="stable")[:top_n].tolist()
        return Reranking(tuple(ScoredPassage(index, float(scores[index])) for index in order))


class LocalAnswerer:
    """An answerer that quotes one sentence or two of each of the first sources.

    A question without a passage whose evidence reaches `floor` has no answer.
    """

    provider = "local"

    def __init__(self, embedder: Embedder, floor: float = 0.0) -> None:
        self._embedder = embedder
        self._floor = floor

    @property
    def model(self) -> str:
        return f"extractive-{self._embedder.model}"

    def answer(self, query: str, passages: Sequence[Passage]) -> GeneratedAnswer:
        matches = match(self._embedder, query, passages)
        evidence = max((passage.evidence for passage in matches.passages), default=0.0)
        if not matches.sentences or evidence < self._floor:
            return GeneratedAnswer()
        return _quote(list(_choose(matches, passages)), passages)


def _scores(found: Sequence[float], matches: Sequence[PassageMatch]) -> NDArray[np.float64]:
    """Return the weighted mean of the parts of each passage's score, from 0 to 1."""
    total = (
        _scale(found)
        + _scale([one.best for one in matches])
        + CONTEXT_WEIGHT * np.array([max(0.0, one.context) for one in matches])
        + PHRASE_WEIGHT * np.array([one.phrases for one in matches])
    )
    return np.asarray(total / (2 + CONTEXT_WEIGHT + PHRASE_WEIGHT), np.float64)


def _scale(scores: ArrayLike) -> NDArray[np.float64]:
    """Scale the scores to [0, 1]; equal scores become 1."""
    values = np.asarray(scores, np.float64)
    span = np.ptp(values) if len(values) else 0.0
    return (values - values.min()) / span if span > 0 else np.ones(len(values))


def _choose(matches: Matches, passages: Sequence[Passage]) -> Iterator[Sentence]:
    """Yield what to quote: of each source its best sentence, in the order of the passages.

    Statements are taken if there are any.
    """
    statements = [s for s in matches.sentences if _is_statement(_text(s, passages))]
    sentences = statements or matches.sentences
    top = max(sentence.score for sentence in sentences)
    least = top - (1 - _MIN_SCORE_SHARE) * abs(top)
    chosen: list[Sentence] = []
    for document_id in dict.fromkeys(passages[s.passage].document_id for s in sentences):
        own = [s for s in sentences if passages[s.passage].document_id == document_id]
        best = max(own, key=lambda sentence: sentence.score)
        if best.score < least or any(
            say_the_same(_text(best, passages), _text(one, passages)) for one in chosen
        ):
            continue
        chosen.append(best)
        yield best if len(chosen) > 1 else _with_neighbour(best, own, passages)
        if len(chosen) == _MAX_SOURCES:
            return


def _with_neighbour(
    best: Sentence, sentences: Sequence[Sentence], passages: Sequence[Passage]
) -> Sentence:
    """Return the sentence with the better of its neighbours in the paragraph, if that is close."""
    at = sentences.index(best)
    text = passages[best.passage].text
    near = [
        one
        for one in (*sentences[max(0, at - 1) : at], *sentences[at + 1 : at + 2])
        if one.passage == best.passage
        and one.score >= _MIN_NEIGHBOUR_SHARE * best.score
        and text[min(one.end, best.end) : max(one.start, best.start)].count("\n") <= 1
    ]
    if not near:
        return best
    other = max(near, key=lambda sentence: sentence.score)
    return replace(best, start=min(best.start, other.start), end=max(best.end, other.end))


def _text(sentence: Sentence, passages: Sequence[Passage]) -> str:
    return passages[sentence.passage].text[sentence.start : sentence.end]


def _is_statement(sentence: str) -> bool:
    return (
        len(word_sequence(sentence)) >= _MIN_WORDS
        and not sentence.endswith(("?", ":", "？", "："))
        and not is_heading(sentence)
        and not is_code(sentence)
    )


def _quote(sentences: Sequence[Sentence], passages: Sequence[Passage]) -> GeneratedAnswer:
    answer = INTRODUCTION
    citations = []
    for sentence in sentences:
        passage = passages[sentence.passage]
        quote = _text(sentence, passages)
        start = len(answer) + 1
        # The quote keeps the chunk's line breaks; the answer has one line for each quote.
        answer = f"{answer}\n{' '.join(quote.split())}"
        citations.append(
            Citation(
                start=start,
                end=len(answer),
                chunk_id=passage.chunk_id,
                document_id=passage.document_id,
                quote=quote,
                quote_start=sentence.start,
                quote_end=sentence.end,
            )
        )
    return GeneratedAnswer(answer, tuple(citations))
