"""Recognition of sentences that say the same."""

import re
import unicodedata

_TOKEN = re.compile(r"\w+(?:['’]\w+)*")
_NEGATIONS = frozenset(
    (
        *("no", "not", "never", "none", "neither", "nor", "without", "cannot"),
        *("nicht", "kein", "keine", "keinen", "nie", "ohne", "ne", "pas", "jamais", "sans"),
        *("nunca", "sin", "não", "sem", "non", "mai", "senza", "niet", "geen", "nooit", "zonder"),
    )
)
_LEAST_OVERLAP = 0.8
"""The share of common words from which two sentences can say the same."""


def say_the_same(one: str, other: str) -> bool:
    """Return whether two sentences differ in spacing, punctuation and a few plain words at most.

    A number, a name, an identifier, a negation or a character outside of the Latin script is no
    plain word.
    """
    words, others = _words(one), _words(other)
    both, different = words.keys() & others.keys(), words.keys() ^ others.keys()
    if not different:
        return True
    if len(both) < _LEAST_OVERLAP * len(words.keys() | others.keys()):
        return False
    return all(_is_plain(words.get(word) or others[word]) for word in different)


def _words(sentence: str) -> dict[str, str]:
    """Return the words as they are written, by their folded form.

    The first word is in lower case: its capital is no sign of a name.
    """
    written = _TOKEN.findall(unicodedata.normalize("NFKC", sentence))
    if written and written[0].istitle():
        written[0] = written[0].lower()
    return {word.casefold(): word for word in written}


def _is_plain(word: str) -> bool:
    folded = word.casefold()
    return (
        word.islower()
        and word.isalpha()
        and folded not in _NEGATIONS
        and all(unicodedata.name(character, "").startswith("LATIN") for character in word)
    )
