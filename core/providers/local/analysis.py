"""Analyses of passages that hold for every question: their sentences, with words and vectors.

A passage is analysed when it is reranked, and again for the answer and for the next questions about
the same pages. So the analyses used last are kept.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TypeAlias

import numpy as np

from core.domain.place import title_of
from core.domain.text.quotable import quotable_spans
from core.domain.text.sentences import sentence_spans
from core.providers.base import Embedder, Passage, Vectors
from core.providers.local.contrast import unit
from core.providers.local.lru import LruCache
from core.providers.words import stop_words_of, word_sequence

CAPACITY_BYTES = 2**26
"""The memory of the analyses that are kept: 64 MiB, for some 6,000 chunks of eight sentences."""
_WORD_BYTES, _PART_BYTES = 8, 256
"""The memory of a word, whose characters the analyses share, and of a part without its words."""

_ROW = re.compile(r"(?:\A|[\r\n])\s*\|")

_Key: TypeAlias = tuple[str, str, frozenset[str]]
"""A context, a text, and the stop words that are left out."""


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence `text[start:end]`, and its words, without stop words.

    The words of a row begin with those of its table's header.
    """

    start: int
    end: int
    is_row: bool
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class AnalyzedPassage:
    """A passage of `n` parts, and its context.

    `vectors`: those of the parts, `(n, d) float32`, unit norm. `mean`: their mean, scaled to unit
    norm, `(d,)`. `context`: the context's vector, `(d,)`, of zeros without a context.
    """

    parts: tuple[Part, ...]
    vectors: Vectors
    mean: Vectors
    context: Vectors
    context_words: frozenset[str]
    title_words: frozenset[str]
    size_bytes: int


class PassageAnalyzer:
    """An analyzer of passages by an embedder; threads may share it."""

    def __init__(self, embedder: Embedder, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self._embedder = embedder
        self._cache = LruCache[_Key, AnalyzedPassage](capacity_bytes)

    @property
    def model(self) -> str:
        return self._embedder.model

    def analyze(
        self, query: str, passages: Sequence[Passage]
    ) -> tuple[Vectors, list[AnalyzedPassage]]:
        """Return the question's vector, `(d,) float32`, and the passages, in order.

        The stop words are those of the question's language. One call embeds the question, and what
        was not analysed before.
        """
        stop_words = stop_words_of(query)
        keys: list[_Key] = [(passage.context, passage.text, stop_words) for passage in passages]
        known = {key: self._cache.get(key) for key in keys}
        new = [_Draft(*key) for key, analysis in known.items() if analysis is None]
        question, analyses = self._embed(query, new)
        for draft, analysis in zip(new, analyses, strict=True):
            known[draft.key] = analysis
            self._cache.put(draft.key, analysis)
        return question, [one for key in keys if (one := known[key]) is not None]

    def _embed(
        self, query: str, drafts: Sequence["_Draft"]
    ) -> tuple[Vectors, list[AnalyzedPassage]]:
        texts = [draft.context for draft in drafts]
        texts += [text for draft in drafts for text in draft.texts]
        rows = self._embedder.embed([query, *texts], "document")
        ends = accumulate((len(draft.texts) for draft in drafts), initial=1 + len(drafts))
        return rows[0], [
            draft.finish(context, rows[start:end])
            for draft, context, (start, end) in zip(drafts, rows[1:], pairwise(ends), strict=False)
        ]


class _Draft:
    """A passage before its parts, whose `texts` are embedded, have vectors."""

    def __init__(self, context: str, text: str, stop_words: frozenset[str]) -> None:
        self.key: _Key = (context, text, stop_words)
        self.context = context
        self._text = text
        self._stop_words = stop_words
        self._spans = list(_spans(text))
        self.texts = [above + text[start:end] for start, end, above in self._spans]

    def finish(self, context: Vectors, vectors: Vectors) -> AnalyzedPassage:
        """Return the analysis; its arrays are copies, which keep no larger ones in memory."""
        words = [tuple(word_sequence(text, self._stop_words)) for text in self.texts]
        parts = tuple(
            Part(start, end, bool(above), own)
            for (start, end, above), own in zip(self._spans, words, strict=True)
        )
        return AnalyzedPassage(
            parts=parts,
            vectors=vectors.copy(),
            mean=unit(vectors.sum(axis=0)),
            context=context.copy() if self.context else np.zeros_like(context),
            context_words=frozenset(word_sequence(self.context, self._stop_words)),
            title_words=frozenset(word_sequence(title_of(self.context), self._stop_words)),
            size_bytes=self._size_bytes(vectors, sum(map(len, words))),
        )

    def _size_bytes(self, vectors: Vectors, words: int) -> int:
        """Return the memory of the analysis and its key, estimated."""
        rows = vectors.nbytes + 2 * vectors[:1].nbytes
        texts = sys.getsizeof(self._text) + sys.getsizeof(self.context)
        return rows + texts + _WORD_BYTES * words + _PART_BYTES * (len(self.texts) + 2)


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the sentences of a text, each with the header above it, if it is a table's row."""
    headers = {}
    if "|" in text and _ROW.search(text):
        headers = {one.start: one.header for one in quotable_spans(text) if one.header}
    for start, end in sentence_spans(text):
        header = headers.get(start)
        yield start, end, f"{text[slice(*header)]}\n" if header else ""
