"""Chunks read from columns equal the chunks that were stored."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.document import Chunk
from core.domain.place import Place
from core.domain.values import caseless, compose
from core.indexing.columns import chunks as module
from core.indexing.columns.chunks import ChunkColumns, Ids
from core.indexing.columns.strings import StringColumn

TEXTS = st.text(st.characters(codec=None), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
COORDINATES = st.floats(allow_nan=False, allow_infinity=False)
PLACES = st.builds(
    Place,
    title=st.none() | TEXTS,
    headings=st.lists(TEXTS, max_size=3).map(tuple),
    page=st.none() | st.integers(1, 2**31),
    box=st.none() | st.tuples(COORDINATES, COORDINATES, COORDINATES, COORDINATES),
    line=st.none() | st.integers(1, 2**31),
)
TIMES = st.datetimes(timezones=st.just(UTC))
CHUNKS = st.lists(
    st.builds(
        Chunk,
        id=st.text("abc~._-XYZ019", min_size=1, max_size=5),
        library_id=st.just("L"),
        document_id=st.sampled_from(["d0", "d1", "d2"]),
        ordinal=st.integers(0, 2**62),
        text=TEXTS,
        metadata=st.dictionaries(TEXTS, JSON, max_size=3),
        version=st.integers(1, 2**62),
        created_at=TIMES,
        updated_at=TIMES,
        place=st.none() | PLACES,
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda chunk: chunk.id,
)


@given(CHUNKS, st.data())
def test_what_goes_in_comes_out(chunks: list[Chunk], choice: st.DataObject) -> None:
    columns = ChunkColumns.of(chunks)
    assert list(columns) == chunks
    assert columns[0] == chunks[0]
    assert columns[::2] == chunks[::2]
    rows = choice.draw(st.lists(st.integers(0, len(chunks) - 1), min_size=1, unique=True))
    taken = columns.take(np.array(rows))
    assert list(taken) == [chunks[row] for row in rows]
    assert list(ChunkColumns.concatenate([taken, columns])) == [*taken, *chunks]
    for concatenated in (columns, ChunkColumns.concatenate([columns])):
        ids = [chunk.id for chunk in chunks]
        assert concatenated.rows_of(Ids([*ids, "none"])) == [
            *range(len(ids)),
            None,
        ]


def test_ids_of_one_hash_are_distinguished(monkeypatch: pytest.MonkeyPatch) -> None:
    def same(ids: list[str]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        return np.zeros(len(ids), np.uint64)

    monkeypatch.setattr(module, "hashes_of", same)
    ids = ["a", "b", "c"]
    columns = ChunkColumns.of([chunk(id_) for id_ in ids])
    assert columns.rows_of(Ids(["c", "x", "a"])) == [2, None, 0]


def test_a_chunk_of_columns_is_as_good_as_any() -> None:
    whole = chunk("a")
    [read] = ChunkColumns.of([whole])
    assert (read == whole, whole == read, read == object()) == (True, True, False)
    for field in fields(Chunk):
        changes: dict[str, Any] = {field.name: "other"}
        assert read != replace(whole, **changes)
    assert "id='a'" in repr(read)
    with pytest.raises(TypeError):
        hash(read)


@given(st.lists(TEXTS))
def test_packed_strings(strings: list[str]) -> None:
    packed = StringColumn.of(strings)
    assert [packed[i] for i in range(len(packed))] == strings
    backwards = packed.take(np.arange(len(strings))[::-1])
    assert [backwards[i] for i in range(len(strings))] == strings[::-1]
    assert packed.memory_bytes >= 4 * len(strings)
    assert list(packed) == strings


@given(st.lists(st.text("abBé\ud800\U0001f600ßS")), st.text("abBé\ud800\U0001f600ßS", max_size=3))
def test_what_strings_contain(strings: list[str], part: str) -> None:
    packed = StringColumn.of(strings)
    places = [i for i, string in enumerate(strings) if part in string]
    assert packed.places_containing(part).tolist() == places
    assert list(packed.caseless()) == [caseless(string) for string in strings]
    assert list(packed.compose()) == [compose(string) for string in strings]


def test_many_strings_are_taken_a_few_at_a_time() -> None:
    strings = [str(i) * (i % 3) for i in range(10_000)]
    rows = np.random.default_rng(1).permutation(10_000)
    taken = StringColumn.of(strings).take(rows)
    assert [taken[i] for i in range(10_000)] == [strings[row] for row in rows]


def chunk(id_: str) -> Chunk:
    then = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=1)
    return Chunk(id_, "L", "d", 0, "text", {"a": [1, None]}, 1, then, then)
