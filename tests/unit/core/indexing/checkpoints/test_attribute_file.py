"""An attribute index read from its file answers as one that was built again."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from immutables import Map
from pyroaring import BitMap

from core.domain import filters
from core.domain.document import Chunk, Document
from core.domain.filters import Filter
from core.indexing.attributes import AttributeIndex
from core.indexing.checkpoints.attribute_file import open_attributes, write_attributes
from core.indexing.container.container import DamagedFile
from core.indexing.container.writer import write_container
from tests.unit.core.builders import NOON, chunk, document
from tests.unit.core.indexing.attributes.test_index import (
    LATER,
    TIMES,
    VALUES,
    documents_,
    metadata,
    parse,
    raw_filters,
    strings,
)

ORDERS = ["a", "-b", "chunk.created_at", "document.title", "-document.metadata.a", "chunk.ordinal"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("attributes") / "attributes"


def read(path: Path, index: AttributeIndex, documents: dict[str, Document]) -> AttributeIndex:
    write_attributes(path, index)
    loaded, container = open_attributes(path, index.chunks, documents)
    with ThreadPoolExecutor(2) as pool:
        container.verify(pool)
    return loaded


def answers(index: AttributeIndex, asked: list[Filter], **documents: Any) -> list[list[int]]:
    return [list(index.matching(filter_, **documents)) for filter_ in asked]


def in_order(index: AttributeIndex, raw: str | None, is_behind: Any = None) -> list[int] | None:
    order = None if raw is None else filters.parse_order(raw)
    return index.first(order, BitMap(range(index.size)), index.size, is_behind)


@settings(max_examples=200)
@given(
    raws=st.lists(raw_filters, min_size=1, max_size=4),
    before=st.lists(raw_filters, max_size=3),
    orders=st.sets(st.sampled_from(ORDERS)),
    of_chunks=st.lists(
        st.tuples(metadata, strings, st.integers(0, 3), st.sampled_from([NOON, LATER])),
        max_size=40,
    ),
    of_documents=st.lists(documents_, min_size=4, max_size=4),
    changes=st.dictionaries(st.integers(0, 3), documents_, max_size=3),
    eager=st.booleans(),
)
def test_it_answers_as_a_rebuilt_one(
    path: Path,
    raws: list[dict[str, Any]],
    before: list[dict[str, Any]],
    orders: set[str],
    of_chunks: list[tuple[dict[str, Any], str, int, datetime]],
    of_documents: list[Document],
    changes: dict[int, Document],
    eager: bool,
) -> None:
    chunks = [
        chunk(f"c{i}", document_id=f"d{d}", ordinal=i, text=text, metadata=m, created_at=at)
        for i, (m, text, d, at) in enumerate(of_chunks)
    ]
    documents = {f"d{i}": item for i, item in enumerate(of_documents)}
    changed = documents | {f"d{i}": item for i, item in changes.items()}
    stale = {f"d{i}" for i in changes}
    asked = [parse(raw) for raw in raws]
    fresh = AttributeIndex(chunks, documents)
    written = (
        AttributeIndex.build(chunks, documents) if eager else AttributeIndex(chunks, documents)
    )
    answers(written, [parse(raw) for raw in before])
    for raw in orders:
        in_order(written, raw)
    loaded = read(path, written, documents)
    assert set(loaded.fields) == set(written.fields)
    again = read(path, loaded, documents)
    for index in (loaded, again):
        assert answers(index, asked) == answers(fresh, asked)
        of_changed = {"documents": changed, "stale": stale}
        assert answers(index, asked, **of_changed) == answers(fresh, asked, **of_changed)
        for order in (None, *ORDERS):
            assert in_order(index, order) == in_order(fresh, order)
        refreshed = index.with_documents(Map(changed))
        assert answers(refreshed, asked) == answers(AttributeIndex(chunks, changed), asked)


ODD = [
    *VALUES,
    "\ud800",
    float("inf"),
    float("-inf"),
    float("nan"),
    1 << 20_000,
    -(1 << 63),
    1 << 63,
    5e-324,
    ["\ud800"],
]
ALL_OF_A_KIND: list[list[Any]] = [
    [],
    [1, 2, -(1 << 63), 2],
    [0.1, -0.0, 1e308, float("inf")],
    [1, 1.5],
    [1 << 63],
    ["a", "", "é", "a", "\U0010ffff"],
    [["a", "b"], ["b"], [], ["b", "b"]],
    [["a", 1]],
    [None, True, False, True],
    [TIMES[0], "b"],
]


@pytest.mark.parametrize("values", [ODD, *ALL_OF_A_KIND])
def test_columns_of_odd_values(path: Path, values: list[Any]) -> None:
    chunks = [chunk(f"c{i}", metadata={"v": value}) for i, value in enumerate([*values, *values])]
    documents = {"d": document()}
    fresh = AttributeIndex(chunks, documents)
    field = filters.parse_field("v", None, "")
    column = fresh.column(field)
    assert column is not None
    column.warm()
    loaded = read(path, fresh, documents).column(field)
    assert loaded is not None
    for instants in (False, True):
        for value in ODD:
            same = [c.equal_to(value, instants=instants) for c in (column, loaded)]
            assert same[0] == same[1]
            same = [c.rows_containing(value, instants=instants) for c in (column, loaded)]
            assert same[0] == same[1]
        assert loaded.ranks(instants=instants).tolist() == column.ranks(instants=instants).tolist()
    assert loaded.present == column.present
    assert loaded.rows_icontaining("str") == column.rows_icontaining("str")


class Unread(Sequence[Chunk]):
    """Chunks that must not be read."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, row: Any) -> Any:
        raise AssertionError(row)


def test_a_column_is_read_on_demand_and_not_rebuilt(path: Path) -> None:
    chunks = [
        chunk(f"c{i:05}", metadata={"n": i % 97, "tags": [f"t{i % 7}", "all"], "odd": bool(i % 2)})
        for i in range(20_000)
    ]
    built = AttributeIndex.build(chunks, {"d": document()})
    in_order(built, "-n")
    write_attributes(path, built)
    loaded, _ = open_attributes(path, Unread(len(chunks)), {})
    assert loaded.memory_bytes < built.memory_bytes / 2
    asked = [
        filters.parse({"field": "n", "op": "between", "value": [5, 9]}),
        filters.parse({"field": "tags", "op": "contains", "value": "t3"}),
        filters.parse({"field": "odd", "op": "eq", "value": True}),
        filters.parse({"field": "chunk.document_id", "op": "eq", "value": "d"}),
    ]
    assert answers(loaded, asked) == answers(built, asked)
    for order in (None, "-n"):
        assert in_order(loaded, order) == in_order(built, order)
    assert loaded.memory_bytes > 0


def test_columns_without_a_file_are_those_made_since() -> None:
    chunks: list[Chunk] = [chunk(f"c{i}", metadata={"n": i}) for i in range(100)]
    index = AttributeIndex.build(chunks, {"d": document()})
    before = index.keys
    answers(index, [filters.parse({"field": "n", "op": "eq", "value": 3})])
    assert index.keys == before
    answers(index, [filters.parse({"field": "other", "op": "exists", "value": True})])
    assert index.keys > before
    more = index.keys
    in_order(index, "n")
    assert index.keys > more


def test_a_file_of_other_chunks_is_refused(path: Path) -> None:
    chunks = [chunk(f"c{i}") for i in range(10)]
    write_attributes(path, AttributeIndex.build(chunks, {"d": document()}))
    with pytest.raises(DamagedFile, match="it has 10 rows"):
        open_attributes(path, chunks[1:], {"d": document()})
    write_container(path, "attributes", {"size": 10, "columns": [["other", "a"]]}, {})
    with pytest.raises(DamagedFile, match="no attributes of these chunks"):
        open_attributes(path, chunks, {"d": document()})
    write_container(path, "index", {}, {})
    with pytest.raises(DamagedFile, match="kind is 'index'"):
        open_attributes(path, chunks, {"d": document()})
