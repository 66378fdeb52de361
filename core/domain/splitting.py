"""Splits a document's text into the pieces that become its chunks.

A paragraph that is too long is split into sentences, and a sentence into words. Neighbours are
then joined up to the target size. A heading begins a new piece, and stays with its section.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.domain.sentences import Span, is_heading, sentence_spans, trim

TARGET_CHARS = 800
"""About 130 English words: one topic, and short enough to quote whole."""
MAX_CHARS = 1200

_PARAGRAPH_END = re.compile(r"\n(?=[^\S\n]*\n|#{1,6}\s)")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a source: `text == source[start:end]`, in code points, stripped."""

    text: str
    start: int
    end: int


def split(
    text: str, *, target_chars: int = TARGET_CHARS, max_chars: int = MAX_CHARS
) -> list[Piece]:
    """Return the pieces in order: disjoint, not empty, none longer than `max_chars`.

    Every character that is not white space is in a piece. A word is cut only if the word alone
    is longer than `max_chars`. `1 <= target_chars <= max_chars`.
    """
    atoms = _atoms(text, target_chars, max_chars)
    spans = _pack(text, atoms, target_chars, max_chars)
    return [Piece(text[start:end], start, end) for start, end in spans]


def _atoms(text: str, target_chars: int, max_chars: int) -> Iterator[Span]:
    """Yield the spans that stay whole: paragraphs up to the target size, sentences, words."""
    for start, end in _paragraphs(text):
        if end - start <= target_chars:
            yield start, end
            continue
        for first, last in _sentences(text, start, end):
            if last - first <= max_chars:
                yield first, last
            else:
                yield from _words(text, first, last, max_chars)


def _paragraphs(text: str) -> Iterator[Span]:
    ends = [match.start() for match in _PARAGRAPH_END.finditer(text)]
    return _between(text, 0, [*ends, len(text)])


def _sentences(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the sentences, each with the list marker before it."""
    ends = [start + last for _, last in sentence_spans(text[start:end])]
    return _between(text, start, [*ends, end])


def _between(text: str, start: int, ends: Sequence[int]) -> Iterator[Span]:
    for end in ends:
        span = trim(text, start, end)
        if span[0] < span[1]:
            yield span
        start = end


def _words(text: str, start: int, end: int, max_chars: int) -> Iterator[Span]:
    for word in _WORD.finditer(text, start, end):
        for first in range(word.start(), word.end(), max_chars):
            yield first, min(first + max_chars, word.end())


def _pack(text: str, atoms: Iterable[Span], target_chars: int, max_chars: int) -> Iterator[Span]:
    piece: Span | None = None
    after_heading = False
    for start, end in atoms:
        heading = is_heading(text[start:end])
        if piece is not None:
            limit = max_chars if after_heading else target_chars
            too_long = end - piece[0] > limit
            begins_section = heading and piece[1] - piece[0] > target_chars // 4
            if too_long or begins_section:
                yield piece
                piece = None
        piece = (start if piece is None else piece[0], end)
        after_heading = heading and "\n" not in text[start:end]
    if piece is not None:
        yield piece
