"""Extractive reranking and answering: by the best matching sentences, no language model."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.contracts.query import Citation
from core.domain.text.sentences import Span
from core.providers.base import GeneratedAnswer, Passage, Reranking, ScoredPassage
from core.providers.local.analysis import PassageAnalyzer
from core.providers.local.matching import PassageMatch, match
from core.providers.local.pages import with_page_evidence
from core.providers.local.quoting import Quote, choose

INTRODUCTION = "From the sources (extractive, no language model):"

BEST_WEIGHT = 1.5
SEARCH_WEIGHT = CONTEXT_WEIGHT = 1.0
TOPIC_WEIGHT = TITLE_WEIGHT = PHRASE_WEIGHT = 0.5
"""The weights of the parts of a passage's score."""
_WEIGHTS = (SEARCH_WEIGHT, BEST_WEIGHT, TOPIC_WEIGHT, CONTEXT_WEIGHT, TITLE_WEIGHT, PHRASE_WEIGHT)


class LocalReranker:
    """A reranker by the search's score, the match of a passage with the question, and its page."""

    def __init__(self, analyzer: PassageAnalyzer) -> None:
        self._analyzer = analyzer

    def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking:
        matches = match(self._analyzer, query, passages).passages
        by_passage = _scores([passage.score for passage in passages], matches)
        scores = with_page_evidence(by_passage, [passage.document_id for passage in passages])
        order = np.argsort(-scores, kind="stable")[:top_n].tolist()
        return Reranking(tuple(ScoredPassage(index, float(scores[index])) for index in order))


class LocalAnswerer:
    """An answerer that quotes of each of the first sources what matches the question best.

    A question without a passage whose evidence reaches `floor` has no answer.
    """

    provider = "local"

    def __init__(self, analyzer: PassageAnalyzer, floor: float = 0.0) -> None:
        self._analyzer = analyzer
        self._floor = floor

    @property
    def model(self) -> str:
        return f"extractive-{self._analyzer.model}"

    def answer(self, query: str, passages: Sequence[Passage]) -> GeneratedAnswer:
        matches = match(self._analyzer, query, passages)
        evidence = max((passage.evidence for passage in matches.passages), default=0.0)
        if not matches.sentences or evidence < self._floor:
            return GeneratedAnswer()
        quotes = list(choose(query, matches.sentences, passages))
        return _write(quotes, passages) if quotes else GeneratedAnswer()


def _scores(searched: Sequence[float], matches: Sequence[PassageMatch]) -> NDArray[np.float64]:
    """Return the weighted mean of the parts of each passage's score, from 0 to 1."""
    total = SEARCH_WEIGHT * _scale(searched) + BEST_WEIGHT * _scale([one.best for one in matches])
    total += [
        TOPIC_WEIGHT * one.topic
        + CONTEXT_WEIGHT * one.context
        + TITLE_WEIGHT * one.title
        + PHRASE_WEIGHT * one.phrases
        for one in matches
    ]
    return np.maximum(total, 0) / sum(_WEIGHTS)


def _scale(scores: ArrayLike) -> NDArray[np.float64]:
    """Scale the scores to [0, 1]; equal scores become 1."""
    values = np.asarray(scores, np.float64)
    span = np.ptp(values) if len(values) else 0.0
    return (values - values.min()) / span if span > 0 else np.ones(len(values))


def _write(quotes: Sequence[Quote], passages: Sequence[Passage]) -> GeneratedAnswer:
    """Return the quotes as an answer, each with its citation; a row comes below its header."""
    answer = INTRODUCTION
    citations = []
    for quote in quotes:
        passage = passages[quote.passage]
        for start, end in _spans(quote):
            said = passage.text[start:end]
            at = len(answer) + 1
            # The quote keeps the chunk's line breaks; the answer has one line for each but code.
            line = said if quote.kind == "code" else " ".join(said.split())
            answer = f"{answer}\n{line}"
            citations.append(
                Citation(
                    start=at,
                    end=len(answer),
                    chunk_id=passage.chunk_id,
                    document_id=passage.document_id,
                    quote=said,
                    quote_start=start,
                    quote_end=end,
                )
            )
    return GeneratedAnswer(answer, tuple(citations))


def _spans(quote: Quote) -> Iterator[Span]:
    if quote.header is not None:
        yield quote.header
    yield quote.start, quote.end
