"""From a text to its terms: unicode words in lower case, stemmed as their language is.

Scripts that put no spaces between words (Han, kana, Thai, …) are taken apart into single
characters, and so is Hangul, whose particles stick to the words: any part of a word is found.
Accents are folded after the stemming, which knows them.
"""

import unicodedata
from importlib.metadata import version
from typing import Final

import tantivy

from core.domain.library import Language, Library

LONGEST_TERM_BYTES = 255
"""What is longer (packed bytes, mostly) is no word, and left out."""

_MAKERS: Final = ("1", version("tantivy"), unicodedata.unidata_version)
"""What terms depend on beside the text and its language. The first is to be raised with each
change of this module by which a text gets other terms."""

_UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
)
_WORD = rf"[{_UNSPACED}]|[\w--[_{_UNSPACED}]]+"

# Those for which tantivy has a list; the others have a stemmer alone.
_WITH_STOP_WORDS = frozenset(
    (
        *(Language.DANISH, Language.DUTCH, Language.ENGLISH, Language.FINNISH, Language.FRENCH),
        *(Language.GERMAN, Language.HUNGARIAN, Language.ITALIAN, Language.NORWEGIAN),
        *(Language.PORTUGUESE, Language.RUSSIAN, Language.SPANISH, Language.SWEDISH),
    )
)


def analyzer(language: Language) -> tantivy.TextAnalyzer:
    steps = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(_WORD))
    steps = steps.filter(tantivy.Filter.remove_long(LONGEST_TERM_BYTES + 1))
    steps = steps.filter(tantivy.Filter.lowercase())
    if language in _WITH_STOP_WORDS:
        steps = steps.filter(tantivy.Filter.stopword(language))
    if language is not Language.NONE:
        steps = steps.filter(tantivy.Filter.stemmer(language))
    return steps.filter(tantivy.Filter.ascii_fold()).build()


def normalized(text: str) -> str:
    """One way of writing for what looks the same; lone surrogates, which UTF-8 can't hold, gone."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode())


def made_for(library: Library) -> tuple[str, ...]:
    """What an index of its words is good for: those of another library, of another language or of
    another version of this program have other terms, or row ids that say something else."""
    return (*_MAKERS, library.language, library.created_at.isoformat())
