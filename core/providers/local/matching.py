"""Scores passages and their sentences against a question.

A sentence's score is the mean of two parts: the cosine with the question's vector, and the share of
the question's words in the sentence, with more weight on rare words. The cosine finds synonyms, the
words find names, and in languages that the model hardly knows they are all there is.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from math import log1p
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.providers.base import Passage, Vectors
from core.providers.local.analysis import AnalyzedPassage, PassageAnalyzer
from core.providers.local.contrast import contrast
from core.providers.words import question_words

_Words: TypeAlias = frozenset[str]

_COSINE_WEIGHT = 2 / 3
"""The weight of the cosine in the evidence of a passage; the rest is the share of words."""
_LEAST_ROW_SHARE = 0.5
"""The share of the question's words from which a row has evidence of its own."""

_UNRELATED = (
    (re.compile("[\u3041-\u30ff]"), 0.55),  # kana, so Japanese
    (re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"), 0.75),  # Thai, Lao, Burmese, Khmer
)
"""The cosine of unrelated texts by script. The local model has few tokens for some, so that all of
their texts look alike; of other scripts it is near 0."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence `texts[passage][start:end]`, and its score."""

    passage: int
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class PassageMatch:
    """The evidence for one passage; higher is better, and all but `best` are at most 1.

    `best` is its best sentence's score, −1 for a passage without a sentence. `topic` and `context`
    are cosines without what the passages have in common: of the passage, and of its title and
    headings. `title` is the share of the title's words that are in the question. `phrases` is the
    share of neighbouring words of the question that are neighbours in the passage.

    `evidence` does not depend on the other passages: it is the weighted mean of the passage's
    cosine, and of the share of the question's words that are in its text or context. A row below
    its table's header is a passage of its own there, as the mean of a table says little of one row,
    if it has half of the words.
    """

    best: float = -1.0
    topic: float = 0.0
    context: float = 0.0
    title: float = 0.0
    phrases: float = 0.0
    evidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Matches:
    """All sentences in reading order, and one match for each passage."""

    sentences: tuple[Sentence, ...]
    passages: tuple[PassageMatch, ...]


def match(analyzer: PassageAnalyzer, query: str, passages: Sequence[Passage]) -> Matches:
    """Score all sentences and passages."""
    vector, analyses = analyzer.analyze(query, passages)
    question = _Question(query, vector)
    common = [question.common_words(analysis) for analysis in analyses]
    vectors = _stack(vector, [analysis.vectors for analysis in analyses])
    scores = (vectors @ vector + question.shares(list(chain.from_iterable(common)))) / 2
    topics = contrast(vector, _stack(vector, [one.mean[np.newaxis] for one in analyses]))
    contexts = contrast(vector, _stack(vector, [one.context[np.newaxis] for one in analyses]))
    ends = accumulate((len(analysis.parts) for analysis in analyses), initial=0)
    owned = [scores[start:end].tolist() for start, end in pairwise(ends)]
    return Matches(
        sentences=tuple(
            Sentence(n, part.start, part.end, score)
            for n, (analysis, own) in enumerate(zip(analyses, owned, strict=True))
            for part, score in zip(analysis.parts, own, strict=True)
        ),
        passages=tuple(
            PassageMatch(
                best=max(owned[n]),
                topic=float(topics[n]),
                context=float(contexts[n]),
                title=question.title_share(analysis),
                phrases=question.phrase_share(analysis, common[n]),
                evidence=question.evidence(analysis, common[n]),
            )
            if analysis.parts
            else PassageMatch()
            for n, analysis in enumerate(analyses)
        ),
    )


def _stack(like: Vectors, rows: Sequence[Vectors]) -> Vectors:
    """Return rows of arrays, each `(n, d)`, as one; there may be none."""
    return np.concatenate([np.empty((0, len(like)), like.dtype), *rows])


class _Question:
    """A question's unit vector `(d,) float32`, and its words."""

    def __init__(self, query: str, vector: Vectors) -> None:
        self._vector = vector
        sequence = question_words(query)
        self._words = frozenset(sequence)
        self._pairs = frozenset(pairwise(sequence))
        self._unrelated = next((base for script, base in _UNRELATED if script.search(query)), 0.0)

    def common_words(self, analysis: AnalyzedPassage) -> list[_Words]:
        """Return the question's words in each part of a passage."""
        return [self._words.intersection(part.words) for part in analysis.parts]

    def shares(self, common: Sequence[_Words]) -> NDArray[np.float64]:
        """Return the share of the question's words in each sentence; rare words weigh more."""
        weights = _weights(self._words, common)
        total = sum(weights.values()) or 1.0
        return np.array([sum(weights[word] for word in some) / total for some in common])

    def title_share(self, analysis: AnalyzedPassage) -> float:
        """Return the share of the words of a passage's title that are in the question."""
        title = analysis.title_words
        return len(title & self._words) / len(title) if title else 0.0

    def phrase_share(self, analysis: AnalyzedPassage, common: Sequence[_Words]) -> float:
        """Return the share of the question's pairs of words in a passage's sentences."""
        near = frozenset[str]().union(*common)
        if not any(first in near and second in near for first, second in self._pairs):
            return 0.0
        words = chain.from_iterable(part.words for part in analysis.parts)
        return len(self._pairs.intersection(pairwise(words))) / len(self._pairs)

    def evidence(self, analysis: AnalyzedPassage, common: Sequence[_Words]) -> float:
        """Return the evidence of one passage; `common` are the question's words in its parts."""
        above = self._words & analysis.context_words
        of_rows = (
            self._evidence(vector, share)
            for part, vector, some in zip(analysis.parts, analysis.vectors, common, strict=True)
            if part.is_row and (share := self._share(above | some)) >= _LEAST_ROW_SHARE
        )
        return max((self._evidence(analysis.mean, self._share(above.union(*common))), *of_rows))

    def _share(self, found: _Words) -> float:
        return len(found) / len(self._words) if self._words else 0.0

    def _evidence(self, vector: Vectors, share: float) -> float:
        """Return the evidence of a unit vector and the share of the question's words."""
        cosine = self._relatedness(float(vector @ self._vector))
        return _COSINE_WEIGHT * cosine + (1 - _COSINE_WEIGHT) * share

    def _relatedness(self, cosine: float) -> float:
        """Return the cosine, scaled so that unrelated texts of the question's script have 0."""
        if not self._unrelated:
            return cosine
        return max(0.0, cosine - self._unrelated) / (1 - self._unrelated)


def _weights(asked: Iterable[str], found: Sequence[Iterable[str]]) -> Mapping[str, float]:
    """Return the weight of each word of the question: higher if fewer sentences have the word."""
    frequency = Counter(chain.from_iterable(found))
    return {word: log1p(len(found) / (1 + frequency[word])) for word in asked}
