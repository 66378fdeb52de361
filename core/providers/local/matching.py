"""Scores sentences and passages against a question; a passage by its best sentence.

A score is the mean of two parts: the cosine with the question's vector, and the share of the
question's words in the sentence, with more weight on rare words. The cosine finds synonyms, the
words find names. The mean orders passages far better than either part alone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log1p

import numpy as np
from numpy.typing import NDArray

from core.domain.sentences import sentence_spans
from core.providers.base import Embedder, Vectors
from core.providers.words import words

_PASSAGE_WEIGHT = 0.2
"""The weight of the passage as a whole in its score; the rest is its best sentence's."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence `texts[passage][start:end]`, its unit vector `(d,) float32`, and its score."""

    passage: int
    start: int
    end: int
    vector: Vectors
    score: float


@dataclass(frozen=True, slots=True)
class Matches:
    """All sentences, in reading order, and one score for each passage; higher is better."""

    sentences: tuple[Sentence, ...]
    passages: tuple[float, ...]


def match(embedder: Embedder, query: str, texts: Sequence[str]) -> Matches:
    """Score all sentences of the texts, with one call to the embedder.

    A passage without a sentence (nothing but white space) scores -1, below all others.
    """
    places = [(index, *span) for index, text in enumerate(texts) for span in sentence_spans(text)]
    parts = [texts[index][start:end] for index, start, end in places]
    embedded = embedder.embed([query, *parts], "document")
    question, vectors = embedded[0], embedded[1:]
    asked = words(query)
    found = [asked & words(part) for part in parts]
    score = _Score(question, _weights(asked, found))
    scores = score(vectors, found)
    passages = np.full(len(texts), -1.0)
    if places:
        owners, first = np.unique([index for index, *_ in places], return_index=True)
        best = np.maximum.reduceat(scores, first)
        whole = score(*_wholes(vectors, found, first.tolist()))
        passages[owners] = (1 - _PASSAGE_WEIGHT) * best + _PASSAGE_WEIGHT * whole
    sentences = tuple(
        Sentence(*place, vector=vector, score=some)
        for place, vector, some in zip(places, vectors, scores.tolist(), strict=True)
    )
    return Matches(sentences, tuple(passages.tolist()))


def _wholes(
    vectors: Vectors, found: Sequence[frozenset[str]], first: Sequence[int]
) -> tuple[Vectors, list[frozenset[str]]]:
    """Return the unit vector of each passage with sentences, and the question's words in it.

    `first` has the index of each passage's first sentence.
    """
    sums = np.add.reduceat(vectors, first)
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    units = (sums / np.maximum(norms, 1e-6)).astype(np.float32, copy=False)
    return units, [
        frozenset[str]().union(*found[start:end]) for start, end in pairwise([*first, len(found)])
    ]


class _Score:
    """The score: the mean of the cosine and the share of the question's words, `(n,) float64`."""

    def __init__(self, question: Vectors, weights: Mapping[str, float]) -> None:
        self._question = question
        self._weights = weights
        self._total = sum(weights.values()) or 1.0

    def __call__(self, vectors: Vectors, found: Sequence[Iterable[str]]) -> NDArray[np.float64]:
        shares = [sum(self._weights[word] for word in some) / self._total for some in found]
        means: NDArray[np.float64] = (vectors @ self._question + np.array(shares)) / 2
        return means


def _weights(asked: Iterable[str], found: Sequence[Iterable[str]]) -> dict[str, float]:
    """Return the weight of each word of the question: higher if fewer sentences have the word."""
    frequency = Counter(word for some in found for word in some)
    return {word: log1p(len(found) / (1 + frequency[word])) for word in asked}
