"""The attribute index against the compiled predicate, which defines what a filter matches."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from core.domain import filters
from core.domain.document import Chunk, Document
from core.domain.errors import Invalid
from core.domain.filters import Filter
from core.domain.schema import FieldRule, FieldType, MetadataSchema
from core.indexing.attributes import AttributeIndex
from tests.unit.core.builders import NOON, chunk, document

LATER = datetime(2026, 3, 1, 12, 30, 0, 5, tzinfo=UTC)
TIMES = [
    "2026-01-31T12:00:00Z",
    "2026-01-31T13:00:00+01:00",
    "2026-01-31t12:00:00.000001Z",
    "2026-03-01T12:30:00.000005Z",
    "2026-02-31T12:00:00Z",  # no date-time, though it looks like one
    "0001-01-01T00:00:00+05:00",
]
NUMBERS = [0, -0.0, 1, 1.0, -2, 2.5, 2**53, 2**53 + 1, float(2**53), 10**30, 1e30, -(10**400)]
ACCENTED = ["é", "e\u0301", "aE\u0301", "\u0345ά"]
STRINGS = [
    "",
    "a",
    "A",
    "ab",
    "b\U0010ffff",
    "Straße",
    "STRASSE",
    "2026",
    "a" * 300,
    *ACCENTED,
    *TIMES,
]
SCALARS: list[Any] = [*NUMBERS, *STRINGS, True, False, None]
LISTS: list[Any] = [
    [],
    [1],
    [True],
    ["A", "ab"],
    [1, [1.0]],
    ["STRASSE", 1.0],
    [["a"]],
    [TIMES[0]],
    ["é"],
    ["e\u0301", 1],
]
VALUES: list[Any] = [*SCALARS, *LISTS, {}, {"b": 1}, {"b": 1.0}, {"b": True, "c": [None]}]

scalars = st.sampled_from(SCALARS)
values = st.sampled_from(VALUES)
numbers, strings = st.sampled_from(NUMBERS), st.sampled_from(STRINGS)
ends = numbers | strings
OPERANDS: dict[str, st.SearchStrategy[Any]] = {
    "eq": values,
    "ne": values,
    "in": st.lists(values, max_size=12),
    "nin": st.lists(values, max_size=12),
    **dict.fromkeys(["gt", "gte", "lt", "lte"], ends),
    "between": st.tuples(numbers, numbers).map(list) | st.tuples(strings, strings).map(list),
    "contains": scalars,
    "icontains": strings,
    "starts_with": strings,
    "exists": st.booleans(),
}
FIELDS = ["a", "b", "a.b", "document.metadata.a", "document.title", "chunk.text"]
SCHEMA = MetadataSchema({"b": FieldRule(FieldType.STRING)})


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    built_in = draw(st.integers(0, 9))
    if built_in == 0:
        field = draw(st.sampled_from(["chunk.created_at", "document.created_at"]))
        op = draw(st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]))
        value = draw(st.sampled_from([TIMES[0], TIMES[1], TIMES[3]]))
        return {"field": field, "op": op, "value": value}
    if built_in == 1:
        op = draw(st.sampled_from(["eq", "gt", "lte"]))
        return {"field": "chunk.ordinal", "op": op, "value": draw(st.integers(0, 6))}
    field = draw(st.sampled_from(FIELDS))
    op = draw(st.sampled_from([*OPERANDS]))
    return {"field": field, "op": op, "value": draw(OPERANDS[op])}


raw_filters = st.recursive(
    conditions(),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"and": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"or": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
)


def parse(raw: dict[str, Any]) -> Filter:
    """Parse with the schema if the filter fits it, so that `b` is both typed and untyped."""
    try:
        return filters.parse(raw, SCHEMA)
    except Invalid:
        try:
            return filters.parse(raw)
        except Invalid:
            # The types of text and titles rule the operand out even without the schema.
            return filters.parse({"field": "chunk.text", "op": "eq", "value": "a"})


metadata = st.dictionaries(st.sampled_from(["a", "b", "a.b"]), values)
documents_ = st.builds(
    lambda title, metadata, created_at: document(
        title=title, metadata=metadata, created_at=created_at
    ),
    st.none() | strings,
    metadata,
    st.sampled_from([NOON, LATER]),
)


def rows_that_match(
    filter_: Filter, chunks: list[Chunk], documents: Mapping[str, Document], within: BitMap
) -> list[int]:
    matches = filters.compile_filter(filter_)
    return [row for row in within if matches(chunks[row], documents[chunks[row].document_id])]


@settings(max_examples=300)
@given(
    raws=st.lists(raw_filters, min_size=1, max_size=4),
    of_chunks=st.lists(
        st.tuples(metadata, strings, st.integers(0, 3), st.sampled_from([NOON, LATER])),
        max_size=40,
    ),
    of_documents=st.lists(documents_, min_size=4, max_size=4),
    changes=st.dictionaries(st.integers(0, 3), documents_, max_size=3),
    dead=st.sets(st.integers(0, 39)),
)
def test_the_rows_are_those_that_the_predicate_finds(
    raws: list[dict[str, Any]],
    of_chunks: list[tuple[dict[str, Any], str, int, datetime]],
    of_documents: list[Document],
    changes: dict[int, Document],
    dead: set[int],
) -> None:
    chunks = [
        chunk(f"c{i}", document_id=f"d{d}", ordinal=i, text=text, metadata=m, created_at=at)
        for i, (m, text, d, at) in enumerate(of_chunks)
    ]
    documents = {f"d{i}": item for i, item in enumerate(of_documents)}
    current = documents | {f"d{i}": item for i, item in changes.items()}
    stale = {f"d{i}" for i in changes}
    within = BitMap(range(len(chunks))) - BitMap(dead)
    eager = AttributeIndex.build(chunks, documents)
    lazy = AttributeIndex(chunks, documents)
    for filter_ in map(parse, raws):
        for index in (eager, lazy):
            everything = BitMap(range(len(chunks)))
            expected = rows_that_match(filter_, chunks, documents, everything)
            assert list(index.matching(filter_)) == expected
            matches = index.matching(filter_, current, stale=stale, within=within)
            assert list(matches) == rows_that_match(filter_, chunks, current, within)


OPERATORS = [(op, value) for op in ("eq", "ne", "gt", "gte", "lt", "lte") for value in VALUES]


@pytest.mark.parametrize("schema", [None, SCHEMA])
def test_each_operator_on_each_kind_of_value(schema: MetadataSchema | None) -> None:
    chunks = [chunk(f"c{i}", metadata={"b": value}) for i, value in enumerate([*VALUES, *VALUES])]
    chunks.append(chunk("without"))
    documents = {"d": document()}
    index = AttributeIndex.build(chunks, documents)
    everything = BitMap(range(len(chunks)))
    asked = 0
    for op, value in OPERATORS:
        try:
            filter_ = filters.parse({"field": "b", "op": op, "value": value}, schema)
        except Invalid:
            continue
        asked += 1
        expected = rows_that_match(filter_, chunks, documents, everything)
        assert list(index.matching(filter_)) == expected, (op, value)
    assert asked > 30


def build_frequent_index() -> tuple[AttributeIndex, list[Chunk], dict[str, Document]]:
    """Build an index of enough rows for cached bitmaps and for several containers."""
    chunks = [
        chunk(
            f"c{i:06}", document_id=f"d{i % 3}", metadata={"odd": i % 2, "n": i, "t": f"t{i % 7}"}
        )
        for i in range(70_000)
    ]
    documents = {f"d{i}": document(f"d{i}", title=f"title {i}") for i in range(3)}
    return AttributeIndex.build(chunks, documents), chunks, documents


def test_many_rows_with_the_same_value() -> None:
    index, chunks, documents = build_frequent_index()
    everything = BitMap(range(len(chunks)))
    conditions: list[dict[str, Any]] = [
        {"field": "odd", "op": "eq", "value": 1},
        {"field": "t", "op": "in", "value": ["t1", "t4"]},
        {"field": "t", "op": "icontains", "value": "T4"},
        {"field": "n", "op": "between", "value": [100, 60_000]},
        {"field": "n", "op": "lt", "value": 300},
        {"field": "document.title", "op": "contains", "value": "1"},
    ]
    for raw in [*conditions, {"and": conditions}, {"or": conditions[:2]}, {"not": conditions[0]}]:
        filter_ = filters.parse(raw)
        expected = rows_that_match(filter_, chunks, documents, everything)
        for _ in range(2):  # the first evaluation must not change cached bitmaps
            assert list(index.matching(filter_)) == expected


def test_what_is_indexed_before_it_is_asked_for() -> None:
    chunks = [
        chunk(
            f"c{i}",
            metadata={
                "year": i,
                "lang": "en",
                "tags": ["a"],
                "abstract": f"{i} " * 100,
                "author": {"name": "x"},
                **({"rare": 1} if i == 0 else {}),
            },
        )
        for i in range(1000)
    ]
    index = AttributeIndex.build(chunks, {"d": document()}, [filters.parse_field("a.b", None, "")])
    assert {field.key for field in index.fields} == {
        "a.b",
        "year",
        "lang",
        "tags",
        "document_id",
    }
    before = index.memory_bytes
    assert 0 < before < 100_000
    abstract = filters.parse({"field": "abstract", "op": "starts_with", "value": "7 "})
    assert list(index.matching(abstract)) == [7]
    assert "abstract" in {field.key for field in index.fields}
    assert index.memory_bytes > before


def test_a_text_is_tested_on_the_rows_that_the_rest_leaves() -> None:
    index, _, _ = build_frequent_index()
    some = filters.parse(
        {
            "and": [
                {"field": "chunk.text", "op": "contains", "value": ""},
                {"field": "unknown", "op": "exists", "value": False},
                {"field": "n", "op": "in", "value": [3, 5]},
            ]
        }
    )
    assert list(index.matching(some)) == [3, 5]
    assert "unknown" not in {field.key for field in index.fields}


def test_documents_that_changed_are_distinguished() -> None:
    index, _, documents = build_frequent_index()
    newer = {**documents, "d1": document("d1"), "d9": document("d9")}
    assert index.changed_documents(documents) == set()
    assert index.changed_documents(newer) == {"d1"}
    assert index.changed_documents({"d0": documents["d0"]}) == {"d1", "d2"}


def test_of_no_rows() -> None:
    index = AttributeIndex.build([], {})
    assert list(index.matching(filters.parse({"field": "a", "op": "ne", "value": 1}))) == []
    assert index.first(None, BitMap(), 5) == []


def test_threads_that_ask_at_once_are_all_answered() -> None:
    _, chunks, documents = build_frequent_index()
    index = AttributeIndex(chunks[:5000], documents)
    conditions = [
        filters.parse({"field": field, "op": op, "value": value})
        for field, op, value in [
            ("n", "gte", 2000),
            ("t", "eq", "t3"),
            ("document.title", "contains", "1"),
            ("chunk.created_at", "lte", "2026-01-31T12:00:00Z"),
        ]
    ]
    expected = [len(AttributeIndex(chunks[:5000], documents).matching(c)) for c in conditions]
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(index.matching, c) for _ in range(4) for c in conditions]
        assert [len(future.result()) for future in asked] == 4 * expected
    assert index.memory_bytes > 0
