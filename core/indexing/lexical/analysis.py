"""Text analysis: the words and terms by which chunks are indexed and found.

Chunks are ranked by terms. A word's are the stem of the word without accents, the stem with them,
and that of the spelling that avoids them: a word is found by either way of writing it, and best by
its own. An identifier has the terms of its words, and its names as a whole. A run of a script
without spaces has each two adjacent units. Stop words have no terms.

All words are indexed in order as well, in lower case without accents, for phrases and prefixes.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from itertools import pairwise
from typing import Final

from core.domain.library import Language, Library
from core.indexing.lexical.languages import is_stop_word, stemmer
from core.indexing.lexical.normalization import fold, lower, normalize, spell_out
from core.indexing.lexical.pieces import names_of, split_pieces, split_units, split_words

LONGEST_TERM_BYTES = 255
"""Longer words, mostly encoded binary data, are dropped."""

_MOST_BYTES: Final = 4
"""The bytes of a character in UTF-8, at most."""

_REMEMBERED_TOKENS, _LONGEST_REMEMBERED = 2**12, 32

_MAKERS: Final = ("3", version("tantivy"), unicodedata.unidata_version)
"""The versions that terms depend on, apart from the text and the language.

Raise the first with each change of these modules that changes a text's terms.
"""


@dataclass(frozen=True, slots=True)
class Word:
    """A word; `surface`: in lower case without accents. `terms`: none of a stop word."""

    surface: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, an identifier or a run.

    `words`: the surfaces in order, of a run its units. `names`: the surfaces of an identifier as a
    whole. `terms`: in groups, each the terms of one word or name.
    """

    words: tuple[str, ...]
    terms: tuple[tuple[str, ...], ...]
    names: tuple[str, ...] = ()
    is_run: bool = False


class Analyzer:
    """The analysis of texts and queries in a language."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._stemmer = stemmer(language)
        self._remembered = lru_cache(_REMEMBERED_TOKENS)(self.analyze)

    def query_pieces(self, text: str) -> list[Piece]:
        """Return the pieces of a query, in order; most of its tokens have been in others."""
        pieces: list[Piece] = []
        for token in text.split():
            is_short = len(token) <= _LONGEST_REMEMBERED
            pieces += self._remembered(token) if is_short else self.analyze(token)
        return pieces

    def analyze(self, text: str) -> list[Piece]:
        """Return the pieces of a text, in order."""
        parts = [text] if _is_plain(text) else split_pieces(normalize(text))
        return [piece for part in parts if (piece := self._piece(part)).words]

    def _piece(self, part: str) -> Piece:
        if _is_plain(part):
            return self._identifier([part], [])
        units = split_units(part)
        if units:
            pairs = tuple((first + second,) for first, second in pairwise(units))
            return Piece(tuple(units), pairs, is_run=True)
        # A long identifier may have as many names as characters, each as long as it is.
        return self._identifier(split_words(part), names_of(part) if _is_short(part) else [])

    def _identifier(self, parts: Iterable[str], names: Iterable[str]) -> Piece:
        words = [self._word(part) for part in parts if _is_short(part)]
        surfaces = tuple(word.surface for word in words)
        wholes = [self._name(name) for name in names if _is_short(name)]
        wholes = [whole for whole in wholes if whole.surface not in surfaces]
        terms = tuple(word.terms for word in (*words, *wholes) if word.terms)
        return Piece(surfaces, terms, tuple(whole.surface for whole in wholes))

    def _word(self, written: str) -> Word:
        spelling = lower(written, self._language)
        surface = fold(spelling) or spelling
        # One with accents has terms, as it may be written without them: `über`, `uber`.
        if surface == spelling and is_stop_word(spelling, self._language):
            return Word(surface, ())
        if spelling.isascii():
            return Word(surface, (self._stem(surface),))
        forms = (surface, spelling, fold(spell_out(spelling, self._language)))
        return Word(surface, tuple(dict.fromkeys(self._stem(form) for form in forms if form)))

    def _name(self, name: str) -> Word:
        if name.isalnum():
            return self._word(name)
        surface = fold(lower(name, self._language))
        return Word(surface, (surface,))

    def _stem(self, word: str) -> str:
        return word if self._stemmer is None else self._stemmer.analyze(word)[0] or word


@cache
def analyzer(language: Language) -> Analyzer:
    return Analyzer(language)


def _is_plain(text: str) -> bool:
    """Return whether a text is a number, or one word without capitals after its first letter."""
    if not text.isascii():
        return False
    return text.isdigit() or (text.isalpha() and (text.islower() or text[1:].islower()))


def _is_short(word: str) -> bool:
    return (
        len(word) <= LONGEST_TERM_BYTES // _MOST_BYTES or len(word.encode()) <= LONGEST_TERM_BYTES
    )


def fingerprint_of(library: Library) -> tuple[str, ...]:
    """Return what a lexical index of the library depends on.

    An index made for another library, language or program version has other terms or row ids.
    """
    return (*_MAKERS, library.language, library.created_at.isoformat())
