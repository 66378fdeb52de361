"""Scores passages and their sentences against a question.

A sentence's score is the mean of two parts: the cosine with the question's vector, and the share of
the question's words in the sentence, with more weight on rare words. The cosine finds synonyms, the
words find names, and in languages that the model hardly knows they are all there is.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from math import log1p
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.domain.place import title_of
from core.domain.text.quotable import quotable_spans
from core.domain.text.sentences import Span, sentence_spans
from core.providers.base import Embedder, Passage, Vectors
from core.providers.local.contrast import contrast, unit
from core.providers.words import question_words, stop_words_of, word_sequence

T = TypeVar("T")

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


def match(embedder: Embedder, query: str, passages: Sequence[Passage]) -> Matches:
    """Score all sentences and passages, with one call to the embedder."""
    owned = [(n, part) for n, passage in enumerate(passages) for part in _parts(passage)]
    parts = [part.text for _, part in owned]
    contexts = [passage.context for passage in passages]
    embedded = embedder.embed([query, *contexts, *parts], "document")
    question = _Question(query, embedded[0])
    above, vectors = embedded[1 : 1 + len(contexts)], embedded[1 + len(contexts) :]
    sequences = [word_sequence(part, question.stop_words) for part in parts]
    shares = question.shares(sequences)
    scores = (vectors @ embedded[0] + shares) / 2
    sentences = tuple(
        Sentence(n, *part.span, score=score)
        for (n, part), score in zip(owned, scores.tolist(), strict=True)
    )
    owners = np.array([n for n, _ in owned], dtype=np.intp)
    own = [np.flatnonzero(owners == n) for n in range(len(passages))]
    means = np.array([unit(vectors[at].sum(axis=0)) for at in own]).reshape(-1, len(embedded[0]))
    has_context = np.array([bool(context) for context in contexts], dtype=np.float32)
    topics = contrast(embedded[0], means)
    near = contrast(embedded[0], above * has_context[:, np.newaxis])
    rows = np.array([part.is_row for _, part in owned], dtype=bool)
    matches = tuple(
        PassageMatch(
            best=float(scores[at].max()),
            topic=float(topics[n]),
            context=float(near[n]),
            title=question.title_share(contexts[n]),
            phrases=question.phrase_share([sequences[i] for i in at]),
            evidence=question.evidence(
                contexts[n], vectors[at], [sequences[i] for i in at], rows[at]
            ),
        )
        if len(at)
        else PassageMatch()
        for n, at in enumerate(own)
    )
    return Matches(sentences, matches)


@dataclass(frozen=True, slots=True)
class _Part:
    """A sentence at `span`; a row's `text` begins with its table's header."""

    span: Span
    text: str
    is_row: bool


def _parts(passage: Passage) -> list[_Part]:
    text = passage.text
    headers = {}
    if "|" in text:
        headers = {one.start: one.header for one in quotable_spans(text) if one.header}
    parts = []
    for span in sentence_spans(text):
        header = headers.get(span[0])
        above = f"{text[slice(*header)]}\n" if header else ""
        parts.append(_Part(span, above + text[slice(*span)], header is not None))
    return parts


class _Question:
    """A question's unit vector `(d,) float32`, and its words."""

    def __init__(self, query: str, vector: Vectors) -> None:
        self._vector = vector
        self._sequence = question_words(query)
        self._words = frozenset(self._sequence)
        self._pairs = frozenset(pairwise(self._sequence))
        self._unrelated = next((base for script, base in _UNRELATED if script.search(query)), 0.0)
        self.stop_words = stop_words_of(query)

    def shares(self, sequences: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """Return the share of the question's words in each sentence; rare words weigh more."""
        common = [self._words.intersection(sequence) for sequence in sequences]
        weights = _weights(self._words, common)
        total = sum(weights.values()) or 1.0
        return np.array([sum(weights[word] for word in some) / total for some in common])

    def title_share(self, context: str) -> float:
        """Return the share of the words of a context's title that are in the question."""
        title = frozenset(word_sequence(title_of(context), self.stop_words))
        return _share(title, self._words)

    def phrase_share(self, sequences: Iterable[Sequence[str]]) -> float:
        """Return the share of the question's pairs of words in a passage's sentences."""
        return _share(self._pairs, pairwise(chain.from_iterable(sequences)))

    def evidence(
        self,
        context: str,
        vectors: Vectors,
        sequences: Sequence[Sequence[str]],
        rows: NDArray[np.bool_],
    ) -> float:
        """Return the evidence of one passage, by its sentences; `rows` marks those of tables."""
        near = word_sequence(context, self.stop_words)
        whole = self._evidence(
            unit(vectors.sum(axis=0)), chain(chain.from_iterable(sequences), near)
        )
        of_rows = (
            self._evidence(vectors[at], chain(sequences[at], near))
            for at in np.flatnonzero(rows).tolist()
            if _share(self._words, chain(sequences[at], near)) >= _LEAST_ROW_SHARE
        )
        return max((whole, *of_rows))

    def _evidence(self, vector: Vectors, found: Iterable[str]) -> float:
        """Return the evidence of a unit vector and its words."""
        cosine = self._relatedness(float(vector @ self._vector))
        return _COSINE_WEIGHT * cosine + (1 - _COSINE_WEIGHT) * _share(self._words, found)

    def _relatedness(self, cosine: float) -> float:
        """Return the cosine, scaled so that unrelated texts of the question's script have 0."""
        if not self._unrelated:
            return cosine
        return max(0.0, cosine - self._unrelated) / (1 - self._unrelated)


def _share(wanted: frozenset[T], found: Iterable[T]) -> float:
    return len(wanted.intersection(found)) / len(wanted) if wanted else 0.0


def _weights(asked: Iterable[str], found: Sequence[Iterable[str]]) -> Mapping[str, float]:
    """Return the weight of each word of the question: higher if fewer sentences have the word."""
    frequency = Counter(word for some in found for word in some)
    return {word: log1p(len(found) / (1 + frequency[word])) for word in asked}
