"""Text analysis: Unicode words in lower case, stemmed by the library's language.

Scripts without spaces between words (Han, kana, Thai, …) are split into single characters, so that
any part of a word is found. So is Hangul, whose particles attach to words. Accents are removed
after stemming, as stemmers depend on them.
"""

import unicodedata
from importlib.metadata import version
from typing import Final

import tantivy

from core.domain.library import Language, Library

LONGEST_TERM_BYTES = 255
"""Longer terms, mostly encoded binary data, are dropped."""

_MAKERS: Final = ("1", version("tantivy"), unicodedata.unidata_version)
"""The versions that terms depend on, apart from the text and the language.

Raise the first with each change of this module that changes a text's terms.
"""

_UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
)
_WORD = rf"[{_UNSPACED}]|[\w--[_{_UNSPACED}]]+"

# The languages that tantivy has stop words for; the others have only a stemmer.
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


def normalize(text: str) -> str:
    """Apply NFKC normalisation; lone surrogates, which UTF-8 cannot encode, become `?`."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode())


def fingerprint_of(library: Library) -> tuple[str, ...]:
    """Return what a lexical index of the library depends on.

    An index made for another library, language or program version has other terms or row ids.
    """
    return (*_MAKERS, library.language, library.created_at.isoformat())
