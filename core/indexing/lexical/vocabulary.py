"""The terms of whole texts, by a memory of the tokens that were analysed before.

The words of a language repeat, so most tokens, which are what stands between two spaces, are looked
up and not analysed: that takes a twentieth of the time.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from core.domain.library import Language
from core.indexing.lexical.analysis import Analyzer, analyzer

_CAPACITY_CHARACTERS: Final = 2**22
_AROUND: Final = "!\"$%&'()*,:;<=>?[\\]^`{|}~/“”„‘’‚«»‹›…–—、。，！？；：（）「」『』"
"""Characters that belong to no word or identifier at either end of it; dots only at the end."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The indexed forms of a text, separated by spaces: words in order, names, terms."""

    words: str
    names: str
    terms: str


class Vocabulary:
    """The words and terms of tokens; safe to share between threads."""

    def __init__(self, language: Language) -> None:
        self._analyzer = analyzer(language)
        self._memory = _Memory(self._analyzer)

    def terms(self, text: str) -> Terms:
        if self._memory.is_full:
            self._memory = _Memory(self._analyzer)
        memory, tokens = self._memory, text.split()
        words = " ".join(filter(None, map(memory.__getitem__, tokens)))
        names = " ".join(filter(None, map(memory.names.get, tokens)))
        return Terms(words, names, " ".join(filter(None, map(memory.terms.get, tokens))))


class _Memory(dict[str, str]):
    """The words of each token; `names` and `terms` have the tokens with any."""

    def __init__(self, analyzer: Analyzer) -> None:
        super().__init__()
        self.names: dict[str, str] = {}
        self.terms: dict[str, str] = {}
        self._analyzer = analyzer
        self._characters = 0

    @property
    def is_full(self) -> bool:
        return self._characters > _CAPACITY_CHARACTERS

    def __missing__(self, token: str) -> str:
        core = token.strip(_AROUND)
        if core.endswith("."):
            core = core.rstrip(f".{_AROUND}")
        if core == token:
            words, names, terms = self._analyze(token)
        else:
            words = self[core] if core else ""
            names, terms = self.names.get(core), self.terms.get(core)
        # Before the words: a thread that finds them finds these as well.
        if names:
            self.names[token] = names
        if terms:
            self.terms[token] = terms
        self[token] = words
        self._characters += len(token)
        return words

    def _analyze(self, token: str) -> tuple[str, str | None, str | None]:
        pieces = self._analyzer.analyze(token)
        words = " ".join([word for piece in pieces for word in piece.words])
        names = " ".join([name for piece in pieces for name in piece.names])
        terms = " ".join([term for piece in pieces for group in piece.terms for term in group])
        self._characters += len(words) + len(names) + len(terms)
        return words, names, terms


@cache
def vocabulary(language: Language) -> Vocabulary:
    return Vocabulary(language)
