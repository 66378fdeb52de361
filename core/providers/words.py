"""The words of a text in any script, for comparing a question or a claim with a sentence.

A word is in lower case, without accents and without the commonest English endings. Scripts without
spaces have no words that a rule could find, so their runs are cut into overlapping pairs (Han) or
triples of characters; hiragana mostly has grammar and is left out.
"""

import re
import unicodedata
from collections.abc import Container, Iterator
from functools import lru_cache

from core.providers.stop_words import ASKED_WITHOUT_SPACES, STOP_WORDS

_HAN, _KATAKANA, _HIRAGANA = "\u3400-\u9fff\uf900-\ufaff", "\u30a1-\u30ff", "\u3041-\u309f"
_SOUTH_EAST_ASIAN = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
_UNSPACED = _HAN + _KATAKANA + _HIRAGANA + _SOUTH_EAST_ASIAN
_RUN = re.compile(
    rf"(?P<han>[{_HAN}]+)|(?P<hiragana>[{_HIRAGANA}]+)"
    rf"|(?P<other>[{_KATAKANA}]+|[{_SOUTH_EAST_ASIAN}]+)|(?P<word>[^\W_{_UNSPACED}]+)"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_HAS_HUMP = re.compile(r"[a-z0-9][A-Z]")
_ASCII_WORDS = bytes(ord(chr(n).lower()) if chr(n).isalnum() else ord(" ") for n in range(128))
_ASCII_WORDS += bytes(128)
"""A table for `bytes.translate`: the letters and digits of ASCII in lower case, spaces between."""
_GRAM_LENGTH = {"han": 2, "other": 3}
_ENDINGS = ("ing", "ed", "es", "ly", "s", "e")


def words(text: str) -> frozenset[str]:
    """Return the distinct words of a text without stop words; identifiers are split into words."""
    return frozenset(word_sequence(text, stop_words_of(text)))


def word_sequence(text: str, without: Container[str] = ()) -> list[str]:
    """Return the words of a text in order, but for those, before stemming, in `without`."""
    if text.isascii():
        return [_stem(word) for word in _ascii_words(text) if word not in without]
    return [word for run in _runs(text) for word in _words_of(run, without)]


def question_words(text: str) -> list[str]:
    """Return the words of a question in order, without those of its language that only ask."""
    asked = ASKED_WITHOUT_SPACES.sub(" ", unicodedata.normalize("NFKC", text))
    return word_sequence(asked, stop_words_of(text))


def stop_words_of(text: str) -> frozenset[str]:
    """Return the stop words of the language that most of the text's stop words are of."""
    runs = [run.group() for run in _runs(text)]
    return max(STOP_WORDS, key=lambda listed: sum(run in listed for run in runs))


def _ascii_words(text: str) -> list[str]:
    """Return the runs of an ASCII text, all of which are words; a quarter of the time of others."""
    if _HAS_HUMP.search(text):
        text = _HUMP.sub(" ", text)
    return text.encode().translate(_ASCII_WORDS).decode().split()


def _runs(text: str) -> Iterator[re.Match[str]]:
    return _RUN.finditer(_HUMP.sub(" ", unicodedata.normalize("NFKC", text)).casefold())


def _words_of(run: re.Match[str], without: Container[str]) -> Iterator[str]:
    kind, text = run.lastgroup, run.group()
    if kind == "word" and text not in without:
        yield _stem(_without_accents(text))
    elif kind in _GRAM_LENGTH:
        yield from _grams(text, _GRAM_LENGTH[kind])


def _grams(run: str, length: int) -> Iterator[str]:
    return (run[at : at + length] for at in range(max(1, len(run) - length + 1)))


@lru_cache(maxsize=65536)
def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    parts = unicodedata.normalize("NFD", word)
    return "".join(part for part in parts if not unicodedata.combining(part))


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
