"""Splits normalised text into pieces: words, identifiers, and runs of scripts without spaces.

An identifier is words with joints in between, as in `snake_case`, `3.11.2` or `std::vector`, or
symbols around them, as in `C++`, `.NET` or `__init__`. A run is split into units: characters,
syllables or what is near to them (Theeramunkong et al., Character Cluster Based Thai Information
Retrieval, 2000), each with its marks.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import tantivy

_SCRIPTS = (
    r"[\p{Han}\p{Hiragana}\p{Katakana}ー\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]"
)
_LETTER = rf"[{_SCRIPTS}&&[\p{{L}}\p{{M}}]]"
_WORD = rf"[[\p{{L}}\p{{N}}]--{_LETTER}][[\p{{L}}\p{{M}}\p{{N}}]--{_LETTER}]*"
_JOINT = r"(?:_+|[-‐.,/\\@&:]|::|:/|://|->|\+\+?|\.\.[/\\])"
_IDENTIFIER = rf"(?:_+|\.)?{_WORD}(?:{_JOINT}{_WORD})*(?:_+|\+\+|[+#])?"
_TIBETAN_STOPS = "\u0f0b\u0f0c"
_RUN = rf"{_LETTER}[{_TIBETAN_STOPS}\p{{M}}{_LETTER}]*"
# Thai and Lao write some vowels before the consonant, Khmer and Burmese stack consonants.
_TIBETAN_UNIT = rf"[{_LETTER}&&\p{{Tibetan}}]+"
_THAI_UNIT = rf"[เ-ไເ-ໄ]?[{_LETTER}&&[\p{{Thai}}\p{{Lao}}]]\p{{M}}*[ะาๅະາ]?"
_STACK = rf"{_LETTER}(?:[\u{{17d2}}\u{{1039}}]{_LETTER}|\p{{M}})*"
_FINALS = rf"(?:[{_LETTER}&&\p{{Myanmar}}]\u{{1037}}?\u{{103a}}\p{{M}}*)*"
_UNIT = f"{_TIBETAN_UNIT}|{_THAI_UNIT}|{_STACK}{_FINALS}"


def _regex(pattern: str) -> tantivy.TextAnalyzer:
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(pattern)).build()


_pieces: Final = _regex(f"{_RUN}|{_IDENTIFIER}")
_units: Final = _regex(_UNIT)
_words: Final = _regex(_WORD)

_GROUPED_DIGITS: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_ACRONYM: Final = re.compile(r"[^\W\d_](\.[^\W\d_])+")
_CATENATED: Final = re.compile(r"[^\W_]+([-‐_]+[^\W_]+)+")
_NUMBERED: Final = re.compile(r"([^\W\d_]{2,})(\d+)")
_VERSION: Final = re.compile(r"\d+(\.\d+)+\Z")
_SEPARATORS: Final = re.compile(r"[/\\@:]+|->")


def split_pieces(text: str) -> Iterator[str]:
    """Return the pieces of a normalised text, in order."""
    for piece in _pieces.analyze(text):
        if "," in piece and not _GROUPED_DIGITS.fullmatch(piece):
            yield from piece.split(",")
        else:
            yield piece


def split_units(piece: str) -> list[str]:
    """Return the units of a run, in order; of another piece an empty list."""
    return [] if piece.isascii() else list(_units.analyze(piece))


def split_words(piece: str) -> list[str]:
    """Return the words of an identifier, in order, each with the case that it has."""
    return [part for word in _words.analyze(piece) for part in _split_camel_case(word)]


def names_of(piece: str) -> list[str]:
    """Return the other names of an identifier: whole, catenated, and by its larger parts.

    `snake_case` is `snakecase` too, `docs/a_b.py` has `a_b.py`, `3.11.2` is a `3.11`, and `utf8`
    has `utf` and `8`.
    """
    if "," in piece:
        return [piece, piece.replace(",", "")]
    names = [piece.replace("‐", "-")]
    if _CATENATED.fullmatch(piece) or _ACRONYM.fullmatch(piece):
        names.append("".join(_words.analyze(piece)))
    names += [part for part in _SEPARATORS.split(piece) if part not in {"", piece}]
    version = _VERSION.search(piece)
    if version is not None:
        numbers = version.group().split(".")
        names += [".".join(numbers[:end]) for end in range(2, len(numbers) + 1)]
    for word in _words.analyze(piece):
        numbered = _NUMBERED.fullmatch(word)
        names += numbered.groups() if numbered else [word] if _split_camel_case(word)[1:] else []
    return list(dict.fromkeys(names))


def _split_camel_case(word: str) -> list[str]:
    """Split before a capital that ends a word in lower case or begins one: `HTTP·Gate·Error`."""
    if word.islower() or word.isupper() or word[1:].islower():
        return [word]
    cuts = [0, *(i for i in range(1, len(word)) if _begins_a_part(word, i)), len(word)]
    return [word[start:end] for start, end in pairwise(cuts)]


def _begins_a_part(word: str, i: int) -> bool:
    if not word[i].isupper():
        return False
    return word[i - 1].islower() or (word[i + 1 : i + 2].islower() and word[i + 1 :] != "s")
