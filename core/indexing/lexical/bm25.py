"""The BM25 index of one library, by tantivy: in memory, or in the files of a folder.

BM25 as in Robertson & Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), with
k1 = 1.2 and b = 0.75. A deleted text counts in the document frequencies of its terms until its
tantivy segment is merged: scores may differ slightly after deletions, the set of hits not.
"""

import shutil
import time
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tantivy
from numpy.typing import NDArray

from core.domain.library import Language
from core.indexing.lexical.analysis import Analyzer, analyzer
from core.indexing.lexical.query import TERMS, WORDS, ParsedQuery, build, parse
from core.indexing.lexical.tantivy_files import TantivyCommit
from core.indexing.lexical.vocabulary import vocabulary

RowIds = NDArray[np.int64]
Floats = NDArray[np.float64]

_BUFFER_BYTES = 32 * 2**20
_BYTES_PER_TEXT, _BYTES_PER_CHARACTER = 16, 0.7
_LOOKUP_COST = 10
"""The number of hits that can be scanned in the time that looking up one allowed chunk takes."""
_WIDENING = 4
_BITS = 18
"""The significant bits of a score: sums of float32 differ beyond, by the order of their terms."""


@dataclass(frozen=True, slots=True, eq=False)
class LexicalRanking:
    """Hits, best first, ties in any order.

    `row_ids`: `(h,) int64`. `scores`: `(h,) float64`, > 0.
    """

    row_ids: RowIds
    scores: Floats


@dataclass(frozen=True, slots=True, eq=False)
class LexicalReader:
    """The index at one moment, safe to share between threads."""

    _searcher: tantivy.Searcher
    _schema: tantivy.Schema
    _analyzer: Analyzer

    def search(self, text: str, k: int, allowed: RowIds | None = None) -> LexicalRanking:
        """Return the `k` best chunks that match a query, and all ties with the last.

        `allowed`: the row ids to choose from, ascending; all if `None`. `text`: in the syntax of
        `core.indexing.lexical.query`; any text is a query.
        """
        parsed = parse(text, self._analyzer)
        most = self._count_at_most(parsed)
        if not most or (allowed is not None and not len(allowed)):
            return LexicalRanking(np.empty(0, np.int64), np.empty(0))
        query = build(parsed, self._schema)
        width = k + 1
        if allowed is not None and _LOOKUP_COST * len(allowed) < most:
            query, width = _within(query, self._one_of(allowed)), len(allowed)
            most, allowed = width, None
        elif allowed is not None:
            # Ample if allowed chunks are spread evenly; a wider search starts from scratch.
            width = _WIDENING * width * self._searcher.num_docs // len(allowed)
        while True:
            width = min(width, most)
            ranking = self._search(query, width, allowed)
            scores = ranking.scores
            if width == most or (len(scores) > k and scores[k] < scores[k - 1]):
                return ranking if len(scores) <= k else _drop_below(ranking, float(scores[k - 1]))
            width *= _WIDENING

    def scores(self, text: str, row_ids: RowIds) -> Floats:
        """Return the score of each row, `(row_ids,) float64`; 0 for rows that do not match."""
        scores = np.zeros(len(row_ids))
        parsed = parse(text, self._analyzer)
        if not len(row_ids) or not self._count_at_most(parsed):
            return scores
        query = _within(build(parsed, self._schema), self._one_of(row_ids))
        ranking = self._search(query, len(row_ids), None)
        order = np.argsort(row_ids)
        scores[order[np.searchsorted(row_ids, ranking.row_ids, sorter=order)]] = ranking.scores
        return scores

    def _count_at_most(self, parsed: ParsedQuery) -> int:
        """Return an upper bound of the number of matches; 0 only if there are none."""
        most: int = self._searcher.num_docs
        frequency = self._searcher.doc_freq
        if parsed.phrases:
            return min(most, *(frequency(WORDS, word) for part in parsed.phrases for word in part))
        if parsed.prefixes:
            return most
        terms = sum(frequency(TERMS, term) for group in parsed.terms for term in group)
        return min(most, terms + sum(frequency(WORDS, word) for word in parsed.words))

    def _one_of(self, row_ids: RowIds) -> tantivy.Query:
        wanted: list[int] = row_ids.tolist()
        return tantivy.Query.term_set_query(self._schema, "serial", wanted)

    def _search(self, query: tantivy.Query, width: int, allowed: RowIds | None) -> LexicalRanking:
        hits = self._searcher.search(query, limit=width, count=False).hits
        addresses = [address for _, address in hits]
        row_ids = np.array(self._searcher.fast_field_values("serial", addresses), np.int64)
        scores = _round(np.array([score for score, _ in hits], np.float64))
        if allowed is not None:
            is_allowed = np.isin(row_ids, allowed, assume_unique=True)
            row_ids, scores = row_ids[is_allowed], scores[is_allowed]
        return LexicalRanking(row_ids, scores)


_REMOVALS, _PAUSE_S = 20, 0.005
"""Tries to remove a folder, and the time between two."""


class LexicalIndex:
    """The index that one thread at a time writes to.

    `folder`: the folder of its files, which is removed with the index, while open readers stay
    valid; `None`: in memory.

    Raises:
        ValueError: the folder does not exist, has no room, or contains no such index.
    """

    def __init__(self, language: Language, folder: Path | None = None) -> None:
        schema = tantivy.SchemaBuilder()
        schema.add_unsigned_field("serial", indexed=True, fast=True)
        schema.add_text_field(TERMS, tokenizer_name="spaces", index_option="freq")
        schema.add_text_field(WORDS, tokenizer_name="spaces", index_option="position")
        self._schema = schema.build()
        self._analyzer = analyzer(language)
        self._vocabulary = vocabulary(language)
        self.folder = folder
        if folder is not None:
            weakref.finalize(self, _remove, folder)
        self._index = tantivy.Index(self._schema, path=None if folder is None else str(folder))
        self._index.config_reader("manual")  # else a thread reloads it after each commit
        spaces = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        self._index.register_tokenizer("spaces", spaces)
        self._estimate = 0.0
        self.size_bytes = self._measure_bytes()

    @property
    def last_commit(self) -> TantivyCommit | None:
        """The files of the last commit, `None` in memory; must not be read during a change."""
        return None if self.folder is None else TantivyCommit.of(self.folder)

    def change(self, added: Iterable[tuple[int, str]], removed: Sequence[int]) -> LexicalReader:
        """Add texts by new row ids and remove others in one commit, and return a reader of the
        result.

        Each change opens a writer, as a writer has half a dozen threads, and libraries may be many.
        The writer merges small tantivy segments before it ends.

        Raises:
            ValueError: no room for the files, or no permission.
        """
        writer = self._index.writer(_BUFFER_BYTES, 1)
        if removed:
            # Not `delete_documents`: it takes the number for a signed term, and finds nothing.
            deletions = tantivy.Query.term_set_query(self._schema, "serial", removed)
            writer.delete_documents_by_query(deletions)
        for row_id, text in added:
            writer.add_document(self._document(row_id, text))
            self._estimate += _BYTES_PER_TEXT + _BYTES_PER_CHARACTER * len(text)
        writer.commit()
        writer.wait_merging_threads()
        self.size_bytes = self._measure_bytes()
        return self.reader()

    def reader(self) -> LexicalReader:
        """Open a reader of the last commit.

        Raises:
            ValueError: the files are not those of an index, or cannot be opened.
        """
        self._index.reload()
        return LexicalReader(self._index.searcher(), self._schema, self._analyzer)

    def _document(self, row_id: int, text: str) -> tantivy.Document:
        terms, document = self._vocabulary.terms(text), tantivy.Document()
        document.add_unsigned("serial", row_id)
        document.add_text(TERMS, terms.terms)
        document.add_text(WORDS, terms.words)
        if terms.names:  # after a gap, so that no phrase is of words and names
            document.add_text(WORDS, terms.names)
        return document

    def _measure_bytes(self) -> int:
        """Return the size of the files; in memory, an estimate of it, with deleted texts."""
        commit = self.last_commit
        return round(self._estimate) if commit is None else commit.size_bytes


def _within(query: tantivy.Query, chosen: tantivy.Query) -> tantivy.Query:
    """Restrict a query to the chosen documents without changing its scores."""
    filter_ = tantivy.Query.const_score_query(chosen, 0.0)
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, filter_)])


def _drop_below(ranking: LexicalRanking, least: float) -> LexicalRanking:
    is_enough = ranking.scores >= least
    return LexicalRanking(ranking.row_ids[is_enough], ranking.scores[is_enough])


def _round(scores: Floats) -> Floats:
    """Round to `_BITS` significant bits, not decimals: scores of very frequent terms are tiny."""
    mantissas, exponents = np.frexp(scores)
    rounded: Floats = np.ldexp(np.round(np.ldexp(mantissas, _BITS)), exponents - _BITS)
    return rounded


def _remove(folder: Path) -> None:
    """Remove a folder into which a thread of tantivy may still write for some milliseconds."""
    for _ in range(_REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_PAUSE_S)
