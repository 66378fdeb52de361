"""Extractive reranking and answering: by the best matching sentences, no language model."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.contracts.query import Citation
from core.domain.sentences import is_code, is_heading
from core.providers.base import (
    NOTHING_FOUND,
    Embedder,
    GeneratedAnswer,
    Passage,
    Reranking,
    ScoredPassage,
)
from core.providers.local.matching import Matches, Sentence, match

INTRODUCTION = "From the sources (extractive, no language model):"

_MAX_SENTENCES = 3
_MIN_SCORE_SHARE = 0.8
"""The share of the best sentence's score from which another sentence is quoted."""
_DUPLICATE_COSINE = 0.9
"""The cosine from which two sentences count as the same."""
_MIN_WORDS = 4


class LocalReranker:
    """A reranker by the search's score and the match of a passage's best sentence.

    The score is the mean of both, each scaled to [0, 1] over the passages.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking:
        matches = match(self._embedder, query, [passage.text for passage in passages])
        found = np.array([passage.score for passage in passages])
        scores = (_scale(found) + _scale(matches.passages)) / 2
        order = np.argsort(-scores, kind="stable")[:top_n].tolist()
        return Reranking(tuple(ScoredPassage(index, float(scores[index])) for index in order))


class LocalAnswerer:
    """An answerer that quotes the one to three best sentences, each with its citation."""

    provider = "local"

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def model(self) -> str:
        return f"extractive-{self._embedder.model}"

    def answer(self, query: str, passages: Sequence[Passage]) -> GeneratedAnswer:
        matches = match(self._embedder, query, [passage.text for passage in passages])
        if not matches.sentences:
            return GeneratedAnswer(NOTHING_FOUND, ())
        return _quote(_best(matches, passages), passages)


def _scale(scores: ArrayLike) -> NDArray[np.float64]:
    """Scale the scores to [0, 1]; equal scores become 1."""
    values = np.asarray(scores, np.float64)
    span = np.ptp(values) if len(values) else 0.0
    return (values - values.min()) / span if span > 0 else np.ones(len(values))


def _best(matches: Matches, passages: Sequence[Passage]) -> list[Sentence]:
    """Return the sentences to quote, in reading order; statements if there are any."""
    ranked = sorted(matches.sentences, key=lambda s: -_worth(s, matches))
    statements = [s for s in ranked if _is_statement(passages[s.passage].text[s.start : s.end])]
    ranked = statements or ranked
    least = _MIN_SCORE_SHARE * _worth(ranked[0], matches)
    chosen: list[Sentence] = []
    for sentence in ranked:
        if len(chosen) == _MAX_SENTENCES or (chosen and _worth(sentence, matches) < least):
            break
        if all(float(sentence.vector @ other.vector) < _DUPLICATE_COSINE for other in chosen):
            chosen.append(sentence)
    return sorted(chosen, key=lambda s: (s.passage, s.start))


def _worth(sentence: Sentence, matches: Matches) -> float:
    """Return a sentence's score plus that of its passage."""
    return sentence.score + matches.passages[sentence.passage]


def _is_statement(sentence: str) -> bool:
    return (
        len(sentence.split()) >= _MIN_WORDS
        and not sentence.endswith(("?", ":"))
        and not is_heading(sentence)
        and not is_code(sentence)
    )


def _quote(sentences: Sequence[Sentence], passages: Sequence[Passage]) -> GeneratedAnswer:
    answer = INTRODUCTION
    citations = []
    for sentence in sentences:
        passage = passages[sentence.passage]
        quote = passage.text[sentence.start : sentence.end]
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
