"""Condensing of follow-ups without a language model: by their words and those of earlier turns.

"And for trains?" after "What is the fare for buses to Lisbon?" becomes "What is the fare for trains
to Lisbon?": its words take the place of the parallel ones. "When is it open?" keeps its words and
gets the topic of the last full question, in parentheses. A quotation, such as code, is one word.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from core.contracts.query import EarlierTurn
from core.domain.text.sentences import sentence_spans
from core.providers.base import Condensed, Embedder
from core.providers.local.follow_ups import (
    FollowUpWords,
    follow_up_words,
    is_marked_follow_up,
)
from core.providers.threads import call_on_thread
from core.providers.words import stop_words_of, word_sequence

MAX_TOPIC_WORDS = 8
_MAX_PARALLEL_WORDS = 4
"""The most words of a follow-up that only names another thing."""
_MAX_OPENED_WORDS = 2
"""The most words of a question after "and" that depends on the earlier one."""
_MAX_WORDS_BEFORE_PRONOUN = 1
"""The words before a pronoun among which its antecedent may be, from the second one on."""

_MIN_ALIKE = 0.12
"""The least cosine of a word and the one that it replaces, by the model `wordllama-256`."""

_QUOTATION = r"`[^`]+`|\"[^\"]+\"|“[^“”]+”|„[^„“]+“|«[^«»]+»"
_WORD = re.compile(rf"{_QUOTATION}|[^\W_]+(?:['’\-][^\W_]+)*")
_END = re.compile(r"[\s?？؟!！.。…]*$")

Alike: TypeAlias = Callable[[str, Sequence[str]], int | None]
"""Returns the index of the word that is most like the first one, or `None` if none is."""


class LocalCondenser:
    """A condenser of follow-ups by rules, in the languages of the stop words."""

    provider = "local"

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    async def condense(self, query: str, turns: Sequence[EarlierTurn]) -> Condensed:
        return Condensed(await call_on_thread(condense, query, turns, self._most_alike))

    def _most_alike(self, word: str, others: Sequence[str]) -> int | None:
        vectors = self._embedder.embed([word, *others], "document")
        cosines = vectors[1:] @ vectors[0]
        best = int(np.argmax(cosines))
        return best if cosines[best] >= _MIN_ALIKE else None


def condense(query: str, turns: Sequence[EarlierTurn], alike: Alike) -> str | None:
    """Return the follow-up as a question of its own, or `None` if it stands on its own already."""
    if not turns:
        return None
    anchor = _anchor(turns)
    if is_marked_follow_up(query):
        return f"{query} ({_without_end(anchor.query)})"
    language = _Language(f"{anchor.query} {query}")
    tokens = language.tokens(query)
    opened = language.opener(tokens)
    rest = tokens[opened:]
    if language.is_parallel(rest) and (opened or language.is_preposition(rest[0])):
        return _put_in(query, rest, anchor.query, language, alike)
    if _depends(query, rest, language, opened=opened > 0):
        topic = _topic(query, anchor, language)
        return f"{query} ({', '.join(topic)})" if topic else None
    return None


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    text: str
    is_content: bool

    @property
    def lower(self) -> str:
        return self.text.casefold().replace("’", "'")


class _Language:
    """The language of a conversation, by its stop words."""

    def __init__(self, text: str) -> None:
        self._stop_words = stop_words_of(text)
        self.words: FollowUpWords = follow_up_words(self._stop_words)

    def tokens(self, text: str) -> list[_Token]:
        return [
            _Token(word.start(), word.end(), word.group(), self._is_content(word.group()))
            for word in _WORD.finditer(text)
        ]

    def _is_content(self, word: str) -> bool:
        if not word[0].isalnum():  # a quotation
            return True
        lower = word.casefold().replace("’", "'")
        listed = self.words
        if lower in listed.articles or lower in listed.prepositions or lower in listed.pronouns:
            return False
        return bool(word_sequence(word, self._stop_words))

    def opener(self, tokens: Sequence[_Token]) -> int:
        """Return the number of words that only open a follow-up."""
        lower = tuple(token.lower for token in tokens)
        return next((len(p) for p in self.words.openers if lower[: len(p)] == p), 0)

    def is_preposition(self, token: _Token) -> bool:
        return token.lower in self.words.prepositions

    def is_parallel(self, tokens: Sequence[_Token]) -> bool:
        """Return whether the words name a thing and neither ask nor say anything of it."""
        around = self.words.articles | self.words.prepositions
        content = sum(token.is_content for token in tokens)
        return 1 <= content <= _MAX_PARALLEL_WORDS and all(
            token.is_content or token.lower in around for token in tokens
        )

    def has_pronoun(self, query: str, tokens: Sequence[_Token]) -> bool:
        """Return whether a pronoun has its antecedent in an earlier question."""
        text = self.words.placeholders.sub(" ", query.casefold())
        left = {word.group().replace("’", "'") for word in _WORD.finditer(text)}
        before = 0
        for token in tokens:
            is_polite = token.start > 0 and token.text[0].isupper()  # the German "Sie"
            if token.lower in left & self.words.pronouns and not is_polite:
                return before <= _MAX_WORDS_BEFORE_PRONOUN
            if token.lower in self.words.possessives:
                return before == 0
            before += token.is_content
        return False


def _anchor(turns: Sequence[EarlierTurn]) -> EarlierTurn:
    """Return the last turn that is a full question, with this question as its `query`."""
    for turn in reversed(turns):
        query = turn.condensed_query or turn.query
        if turn.condensed_query is None or not query.startswith(f"{turn.query} ("):
            break
    return turn.model_copy(update={"query": query})


def _depends(query: str, rest: Sequence[_Token], language: _Language, *, opened: bool) -> bool:
    """Return whether a question that is no mere name depends on an earlier one."""
    content = sum(token.is_content for token in rest)
    if content == 0 and rest:
        return True
    if opened and content <= _MAX_OPENED_WORDS:
        return True
    return language.has_pronoun(query, rest)


def _topic(query: str, anchor: EarlierTurn, language: _Language) -> list[str]:
    """Return the words of the last full question that the follow-up lacks.

    If that question asks for a person, the names in the answer's first sentence come first.
    """
    tokens = language.tokens(anchor.query)
    words = [token.text for token in tokens if token.is_content]
    if anchor.answer and any(token.lower in language.words.persons for token in tokens):
        start, end = next(iter(sentence_spans(anchor.answer)), (0, 0))
        named = language.tokens(anchor.answer[start:end])[1:]
        words = [token.text for token in named if token.text[0].isupper()] + words
    known = {word.casefold() for word in _texts(language.tokens(query))}
    fresh = [word for word in dict.fromkeys(words) if word.casefold() not in known]
    return fresh[:MAX_TOPIC_WORDS]


def _texts(tokens: Sequence[_Token]) -> list[str]:
    return [token.text for token in tokens]


def _put_in(
    query: str, rest: Sequence[_Token], anchor: str, language: _Language, alike: Alike
) -> str:
    """Return the full question with the words of the follow-up in place of the parallel ones."""
    if language.is_preposition(rest[0]):
        return _put_phrase_in(query, rest, anchor, language)
    content = [token for token in rest if token.is_content]
    places = [token for token in language.tokens(anchor) if token.is_content]
    span = _names(anchor, places) if content[0].text[0].isupper() else None
    if span is None and places:
        place = alike(content[-1].text, _texts(places))
        span = None if place is None else (places[place].start, places[place].end)
    if span is None:
        return f"{query} ({', '.join(_texts(places)[:MAX_TOPIC_WORDS])})"
    return anchor[: span[0]] + query[content[0].start : rest[-1].end] + anchor[span[1] :]


def _put_phrase_in(query: str, rest: Sequence[_Token], anchor: str, language: _Language) -> str:
    """Return the full question with the phrase in place of the parallel one, or with it added."""
    named = query[rest[0].end : rest[-1].end]
    span = _phrase(language.tokens(anchor), rest[0].lower, language)
    if span is not None:
        return anchor[: span[0]] + named + anchor[span[1] :]
    end = len(_without_end(anchor))
    return f"{anchor[:end]} {rest[0].lower}{named}{anchor[end:]}"


def _phrase(
    tokens: Sequence[_Token], preposition: str, language: _Language
) -> tuple[int, int] | None:
    """Return the span of the last phrase after the preposition, or `None`."""
    for start in reversed(range(len(tokens))):
        if tokens[start].lower != preposition:
            continue
        end = start + 1
        while end < len(tokens) and tokens[end].lower in language.words.articles:
            end += 1
        while end < len(tokens) and tokens[end].is_content:
            end += 1
        if tokens[end - 1].is_content:
            return tokens[start].end, tokens[end - 1].end
    return None


def _names(anchor: str, places: Sequence[_Token]) -> tuple[int, int] | None:
    """Return the span of the last name: adjacent words in capitals, not at the start."""
    span: tuple[int, int] | None = None
    for token in reversed(places):
        if not token.text[0].isupper() or token.start == 0:
            if span:
                break
            continue
        if span and anchor[token.end : span[0]].strip():
            break
        span = (token.start, span[1] if span else token.end)
    return span


def _without_end(question: str) -> str:
    return _END.sub("", question)
