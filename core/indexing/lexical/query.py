"""Lexical queries: any text is one.

A phrase in double quotes must be in a chunk, with its words in this order; `word*` finds the words
that begin so; all else are words, of which a chunk needs at least one. Stop words count in phrases
and where a query has nothing else. A quote without its partner has no meaning.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

import tantivy

from core.indexing.lexical.analysis import Analyzer, Piece

TERMS: Final = "terms"
WORDS: Final = "words"
"""The fields of an index: `vocabulary.Terms`, the words with the names."""

Words: TypeAlias = tuple[str, ...]
T = TypeVar("T")

_QUOTED = re.compile(r'(?<!\w)(?:"([^"]*)"|[“„]([^“”„]*)[”“]|«([^«»]*)»)(?!\w)')
_AFTER_PREFIX = ".,;:!?)"
_LONGEST_ADJACENT = 4
_LONGEST_RUN = 16
"""The number of units up to which a run is taken for a word and not for a sentence."""


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """The clauses of a query, each once.

    All `phrases` must match. Without any, a group of `terms`, a word or a prefix must. `adjacent`
    are phrases that raise a score. The best term of a group counts.
    """

    phrases: tuple[Words, ...]
    terms: tuple[Words, ...]
    words: Words
    prefixes: Words
    adjacent: tuple[Words, ...]


def parse(text: str, analyzer: Analyzer) -> ParsedQuery:
    quoted = ["".join(match.groups("")) for match in _QUOTED.finditer(text)]
    phrases = [words for part in quoted if (words := _words(analyzer.query_pieces(part)))]
    tokens = [(token, _prefix(token, analyzer)) for token in _QUOTED.sub(" ", text).split()]
    prefixes = [prefix for _, prefix in tokens if prefix]
    pieces = analyzer.query_pieces(" ".join(token for token, prefix in tokens if not prefix))
    terms = [group for piece in pieces for group in piece.terms]
    units = [word for piece in pieces if piece.is_run and not piece.terms for word in piece.words]
    words = _words(pieces)
    has_only_stop_words = not (phrases or prefixes or terms or units)
    return ParsedQuery(
        _once(phrases),
        _once(terms),
        _once(words if has_only_stop_words else units),
        _once(prefixes),
        _once(_adjacent(pieces, words)),
    )


def build(parsed: ParsedQuery, schema: tantivy.Schema) -> tantivy.Query:
    """Return tantivy's query."""
    should = [_best_of(group, TERMS, schema) for group in parsed.terms]
    should += [_best_of((word,), WORDS, schema) for word in parsed.words]
    should += [_prefix_query(prefix, schema) for prefix in parsed.prefixes]
    should += [_phrase(words, schema) for words in parsed.adjacent]
    clauses = [(tantivy.Occur.Must, _phrase(words, schema)) for words in parsed.phrases]
    return tantivy.Query.boolean_query([*clauses, *((tantivy.Occur.Should, q) for q in should)])


def _prefix(token: str, analyzer: Analyzer) -> str | None:
    """Return the beginning of words that a token such as `word*` asks for."""
    if "*" not in token:
        return None
    begin = token.rstrip(_AFTER_PREFIX)
    if begin[-1:] != "*" or not begin[-2:-1].isalnum():
        return None
    pieces = analyzer.query_pieces(begin[:-1])
    if len(pieces) != 1 or pieces[0].is_run:
        return None
    return pieces[0].names[0] if pieces[0].names else pieces[0].words[0]


def _words(pieces: Iterable[Piece]) -> Words:
    return tuple(word for piece in pieces for word in piece.words)


def _adjacent(pieces: Iterable[Piece], words: Words) -> Iterator[Words]:
    """Return short runs, and a short query with stop words: "Vitamin A" is not any vitamin."""
    runs = (piece.words for piece in pieces if piece.is_run)
    yield from (run for run in runs if 2 < len(run) <= _LONGEST_RUN)
    if 1 < len(words) <= _LONGEST_ADJACENT and any(not piece.terms for piece in pieces):
        yield words


def _once(clauses: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(clauses))


def _best_of(terms: Words, field: str, schema: tantivy.Schema) -> tantivy.Query:
    queries = [tantivy.Query.term_query(schema, field, term, "freq") for term in terms]
    return queries[0] if len(queries) == 1 else tantivy.Query.disjunction_max_query(queries)


def _phrase(words: Words, schema: tantivy.Schema) -> tantivy.Query:
    if len(words) == 1:
        return _best_of(words, WORDS, schema)
    return tantivy.Query.phrase_query(schema, WORDS, list(words))


def _prefix_query(prefix: str, schema: tantivy.Schema) -> tantivy.Query:
    return tantivy.Query.fuzzy_term_query(schema, WORDS, prefix, distance=0, prefix=True)
