"""The words of a text, stemmed, for comparing a question or a claim with a sentence."""

import re
from functools import lru_cache

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[^\W_]+")
_ENDINGS = ("ing", "ed", "es", "ly", "s", "e")
_STOP_WORDS = frozenset(
    (
        *("a", "an", "and", "are", "as", "at", "be", "by", "can", "could", "did", "do", "does"),
        *("for", "from", "has", "have", "how", "i", "in", "into", "is", "it", "its", "me", "my"),
        *("of", "on", "one", "or", "please", "should", "tell", "that", "the", "there", "this"),
        *("to", "was", "we", "were", "what", "when", "where", "which", "who", "whom", "whose"),
        *("why", "will", "with", "would", "you", "your"),
    )
)


def words(text: str) -> frozenset[str]:
    """Return a text's words, stemmed and in lower case; identifiers are split into words."""
    found = set(_WORD.findall(_HUMP.sub(" ", text).lower()))
    return frozenset(map(_stem, found - _STOP_WORDS))


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
