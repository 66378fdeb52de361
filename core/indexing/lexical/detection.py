"""Detects the language of texts, by the model that py3langid carries."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from core.domain.library import Language
from core.indexing.lexical.normalization import normalize

_LEAST_LETTERS: Final = 100
"""The number of letters from which a language is taken to be certain."""
_MOST_CHARACTERS: Final = 20_000
_MOST_TEXTS: Final = 20_000
"""The number of a library's texts that are read, in a second or less."""
_SAMPLES, _SAMPLE_CHARACTERS = 100, 200

_BY_CODE: Final = {
    "ar": Language.ARABIC,
    "da": Language.DANISH,
    "de": Language.GERMAN,
    "el": Language.GREEK,
    "en": Language.ENGLISH,
    "es": Language.SPANISH,
    "fi": Language.FINNISH,
    "fr": Language.FRENCH,
    "hu": Language.HUNGARIAN,
    "it": Language.ITALIAN,
    "nb": Language.NORWEGIAN,
    "nl": Language.DUTCH,
    "nn": Language.NORWEGIAN,
    "no": Language.NORWEGIAN,
    "pt": Language.PORTUGUESE,
    "ro": Language.ROMANIAN,
    "ru": Language.RUSSIAN,
    "sv": Language.SWEDISH,
    "ta": Language.TAMIL,
    "tr": Language.TURKISH,
}


def sample_evenly(texts: Iterable[str]) -> list[str]:
    """Return the beginnings of some of the texts, at even distances from the first to the last.

    The first files of a folder may be in another language than the rest: a licence, a page that
    was not translated.
    """
    sample, step = list[str](), 1
    for number, text in enumerate(islice(texts, _MOST_TEXTS)):
        if number % step == 0:
            sample.append(text[:_SAMPLE_CHARACTERS])
        if len(sample) == 2 * _SAMPLES:
            sample, step = sample[::2], 2 * step
    return sample


def detect_language(texts: Iterable[str]) -> Language | None:
    """Return the language of most of the texts; `None` if they are too short to tell.

    `Language.NONE` is any language without a stemmer. The texts are read until they are enough.
    The first call of a process loads the model, which takes about a second.
    """
    sample, letters, characters = list[str](), 0, 0
    for text in texts:
        sample.append(normalize(text[:_MOST_CHARACTERS]))
        letters += sum(map(str.isalpha, sample[-1]))
        characters += len(sample[-1])
        if characters >= _MOST_CHARACTERS:
            break
    if letters < _LEAST_LETTERS:
        return None
    import py3langid  # a process without such a library does not load the model

    code, _ = py3langid.classify("\n".join(sample))
    return _BY_CODE.get(code, Language.NONE)
