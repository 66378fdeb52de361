"""Unicode forms that lexical search takes for the same: compatibility, case, accents, digits.

Letters that only some languages tell apart are folded as Unicode's accent folding does (UTR 30):
`é` is `e`, `ё` is `е`. Marks that make another letter stay: of kana, of the Indic scripts, and
of the Cyrillic `й`.
"""

import re
import unicodedata
from typing import Final

import tantivy

from core.domain.library import Language

_IGNORABLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
"""Unicode's Default_Ignorable_Code_Point: soft hyphen, joiners, variation selectors and so on."""

_ACCENTS: Final = re.compile(
    "(?<!и)\u0306|[\u0300-\u0305\u0307-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    "\u0483-\u0489"  # Cyrillic
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u08d3-\u08ff"
    "\u0711\u0730-\u074a]+"  # Syriac; the line above is Arabic, with tatweel
)
_LETTERS: Final = str.maketrans({"ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ς": "σ"})
_ASCII_FOLD: Final = (
    tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw()).filter(tantivy.Filter.ascii_fold()).build()
)

_SPELLED_OUT: Final = {
    Language.GERMAN: str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"}),
    Language.DANISH: str.maketrans({"å": "aa", "ø": "oe", "æ": "ae"}),
    Language.NORWEGIAN: str.maketrans({"å": "aa", "ø": "oe", "æ": "ae"}),
    Language.SWEDISH: str.maketrans({"å": "aa", "ä": "ae", "ö": "oe"}),
}
"""The spellings of letters that a language's own typists use where a keyboard lacks the letter."""


def normalize(text: str) -> str:
    """Apply NFKC without default-ignorable characters; lone surrogates become `?`."""
    if text.isascii():
        return text
    encodable = text.encode("utf-8", "replace").decode()
    return unicodedata.normalize("NFKC", _IGNORABLE.sub("", encodable))


def lower(word: str, language: Language) -> str:
    """Return a normalised word in lower case; Turkish has a dotless `ı`, and no final sigma."""
    if language is Language.TURKISH:
        word = word.replace("İ", "i").replace("I", "ı")
    low = word.lower()
    return low if low.isascii() else unicodedata.normalize("NFC", low).replace("ς", "σ")


def fold(word: str) -> str:
    """Return a word in lower case without accents, with ASCII digits and letters where it can."""
    if word.isascii():
        return word
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", word)).translate(_LETTERS)
    bare = unicodedata.normalize("NFC", bare)
    if any(character.isdecimal() for character in bare):
        bare = "".join(map(_ascii_digit, bare))
    return "".join(_ASCII_FOLD.analyze(bare))


def spell_out(word: str, language: Language) -> str:
    """Return a word in lower case with letters such as `ä` as the language spells them out."""
    table = _SPELLED_OUT.get(language)
    return word if table is None else word.translate(table)


def _ascii_digit(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character
