"""Lexical indexes catch up with the catalog: each search sees all writes of one state."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.changes import (
    Change,
    ChunksDeleted,
    ChunksPut,
    DocumentPut,
    LibraryDeleted,
    LibraryPut,
)
from core.domain.errors import NotFound
from core.domain.library import Language, Metric
from core.indexing.lexical.bm25 import LexicalIndex
from core.indexing.lexical.catch_up import LexicalIndexes
from core.indexing.views.catalog import Catalog
from tests.unit.core.builders import chunk, document, embedded, library
from tests.unit.core.indexing.segments import row_ids


class Written:
    """A catalog that changes are applied to, and its lexical indexes."""

    def __init__(self) -> None:
        self.catalog = Catalog()
        self.lexical = LexicalIndexes(self.catalog)
        self.write(LibraryPut(library()), DocumentPut(document()))

    def write(self, *changes: Change) -> None:
        self.catalog.apply(self.catalog.position + 1, changes)

    def put(self, **texts: str) -> None:
        rows = [embedded(chunk(id_, text=text)) for id_, text in texts.items()]
        self.write(ChunksPut("L", rows))

    def search(self, text: str, ref: str = "L") -> set[str]:
        state, readers = self.lexical.catch_up([ref])
        view = state.library(ref)
        row_ids = readers[view.library.id].search(text, 100).row_ids.tolist()
        return {view.chunk(row_id).id for row_id in row_ids}


@pytest.fixture
def written() -> Written:
    return Written()


def test_what_is_written_is_found_by_the_next_search(written: Written) -> None:
    assert written.search("cat") == set()
    written.put(a="A cat.", b="A dog.")
    assert written.search("cat") == {"a"}
    written.put(a="A bird.", c="Cats.")
    assert written.search("cat") == {"c"}
    written.write(ChunksDeleted("L", ["c"]))
    assert written.search("cat bird dog") == {"a", "b"}


def test_a_current_reader_is_the_same_one(written: Written) -> None:
    written.put(a="cat")
    _, readers = written.lexical.catch_up(["L"])
    written.write(LibraryPut(replace(library(), description="new")), DocumentPut(document("e")))
    state, again = written.lexical.catch_up(["the library L"])
    assert again["L"] is readers["L"]
    assert state.position == written.catalog.position


def test_another_language_makes_other_terms(written: Written) -> None:
    written.put(a="running")
    assert written.search("run") == {"a"}
    written.write(LibraryPut(replace(library(), language=Language.NONE)))
    assert written.search("run") == set()


def test_another_metric_keeps_the_words(written: Written) -> None:
    written.put(a="cat", b="dog")
    assert written.search("cat") == {"a"}
    written.write(LibraryPut(library(metric=Metric.COSINE)))
    assert written.search("cat") == {"a"}


def test_a_library_that_is_created_again_begins_empty(written: Written) -> None:
    written.put(a="cat", b="dog")
    assert written.search("cat") == {"a"}
    again = replace(library(), created_at=library().created_at + timedelta(seconds=1))
    written.write(LibraryDeleted("L"), LibraryPut(again), DocumentPut(document()))
    assert written.search("cat") == set()
    written.put(x="dog", y="cat")
    assert written.search("cat") == {"y"}


def test_a_deleted_library_is_let_go(written: Written) -> None:
    written.put(a="cat")
    assert written.lexical.size_bytes("L") == 0
    assert written.search("cat") == {"a"}
    assert written.lexical.size_bytes("L") > 0
    written.write(LibraryDeleted("L"), LibraryPut(library("M")))
    with pytest.raises(NotFound):
        written.search("cat")
    assert written.search("cat", "M") == set()
    assert written.lexical.size_bytes("L") == 0


def test_space_is_given_back_once_most_of_it_is_dead(written: Written) -> None:
    written.put(**{f"c{i}": "the same few words " * 10 for i in range(20)})
    assert len(written.search("words")) == 20
    before = written.lexical.size_bytes("L")
    written.write(ChunksDeleted("L", [f"c{i}" for i in range(1, 20)]))
    assert written.search("words") == {"c0"}
    assert written.lexical.size_bytes("L") < before / 4


def test_after_a_failure_each_text_is_there_once(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = LexicalIndex.change

    def fails_at_last(index: LexicalIndex, *arguments: Any) -> None:
        change(index, *arguments)
        raise MemoryError

    written.put(a="cat")
    assert written.search("cat") == {"a"}
    written.put(b="cat")
    with monkeypatch.context() as patched:
        patched.setattr(LexicalIndex, "change", fails_at_last)
        with pytest.raises(MemoryError):
            written.search("cat")
    assert written.search("cat") == {"a", "b"}
    _, readers = written.lexical.catch_up(["L"])
    assert len(readers["L"].search("cat", 10).row_ids) == 2


WORDS = ("red", "green", "blue")
WRITE = st.dictionaries(
    st.sampled_from("abcdef"), st.one_of(st.none(), st.sampled_from(WORDS)), min_size=1
)


@settings(max_examples=30)
@given(st.lists(st.tuples(WRITE, st.booleans()), max_size=12))
def test_after_any_writes_the_words_are_those_of_the_chunks(
    writes: Sequence[tuple[dict[str, str | None], bool]],
) -> None:
    written, texts = Written(), dict[str, str]()
    for write, looks in writes:
        gone = [id_ for id_, text in write.items() if text is None]
        there = {id_: text for id_, text in write.items() if text is not None}
        written.write(ChunksDeleted("L", gone))
        written.put(**there)
        texts = {id_: text for id_, text in (texts | there).items() if id_ not in gone}
        if looks:
            for word in WORDS:
                assert written.search(word) == {id_ for id_, text in texts.items() if text == word}
    for word in WORDS:
        assert written.search(word) == {id_ for id_, text in texts.items() if text == word}


def test_each_answer_is_of_one_position_while_others_write(written: Written) -> None:
    """Replace one chunk with each write, so that every state has exactly one hit, the newest."""
    writes = 60

    def write() -> None:
        for n in range(writes):
            written.write(
                ChunksDeleted("L", [f"c{n - 1}"]),
                ChunksPut("L", [embedded(chunk(f"c{n}", text=f"word n{n}"))]),
            )

    def search() -> None:
        while written.catalog.position < writes + 1:
            state, readers = written.lexical.catch_up(["L"])
            view = state.library("L")
            hits = readers["L"].search("word", 10).row_ids.tolist()
            assert [view.chunk(row_id).id for row_id in hits] == sorted(row_ids(view))

    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(search) for _ in range(3)] + [pool.submit(write)]
        for task in tasks:
            task.result()
