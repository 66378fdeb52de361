from datetime import timedelta
from typing import Any

import pytest

from core.domain import filters
from core.domain.document import Chunk, Document
from core.domain.errors import Invalid
from core.domain.filters.operators import MAX_VALUES
from core.domain.filters.parsing import MAX_DEPTH, MAX_NODES
from core.domain.schema import FieldRule, FieldType, MetadataSchema
from tests.unit.core.builders import NOON, chunk, document

CHUNK = chunk(
    "c7",
    document_id="d3",
    ordinal=4,
    text="Attention is all you need.",
    metadata={
        "year": 2017,
        "chunk.id": "literal",
        "document": {"title": "nested"},
        "at": "2026-01-31T12:00:00Z",
        "nothing": None,
    },
    created_at=NOON,
)
DOCUMENT = document(
    "d3",
    title="Transformers",
    metadata={"lang": "en", "a": {"b": 1}},
    created_at=NOON + timedelta(hours=1),
)
SCHEMA = MetadataSchema(
    {
        "s": FieldRule(FieldType.STRING),
        "i": FieldRule(FieldType.INTEGER),
        "n": FieldRule(FieldType.NUMBER),
        "b": FieldRule(FieldType.BOOLEAN),
        "t": FieldRule(FieldType.DATETIME),
        "l": FieldRule(FieldType.STRING_LIST),
        "author.name": FieldRule(FieldType.STRING),
    },
    additional=False,
)


def condition(field: Any, op: Any, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def matches(
    raw: object,
    schema: MetadataSchema | None = None,
    of_chunk: Chunk = CHUNK,
    of_document: Document = DOCUMENT,
) -> bool:
    return filters.matches(filters.parse(raw, schema), of_chunk, of_document)


def pointers(raw: object, schema: MetadataSchema | None = None) -> list[str]:
    with pytest.raises(Invalid) as caught:
        filters.parse(raw, schema, "/filter")
    return [fault.pointer for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [
        ("chunk.id", "eq", "c7"),
        ("chunk.document_id", "in", ["d3"]),
        ("chunk.ordinal", "between", [4, 4]),
        ("chunk.text", "icontains", "ALL YOU"),
        ("chunk.created_at", "eq", "2026-01-31T13:00:00+01:00"),
        ("chunk.created_at", "in", ["2026-01-31T12:00:00.000Z"]),
        ("chunk.updated_at", "lte", "2026-01-31T12:00:00Z"),
        ("document.id", "ne", "d4"),
        ("document.title", "starts_with", "Trans"),
        ("document.source", "exists", False),
        ("document.created_at", "gt", "2026-01-31T12:59:59Z"),
        ("document.updated_at", "between", ["2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"]),
        ("document.metadata.lang", "eq", "en"),
        ("document.metadata.a.b", "eq", 1),
        ("document.metadata.title", "exists", False),
        ("chunk.metadata.year", "eq", 2017),
        ("chunk.metadata.chunk.id", "eq", "literal"),
        ("chunk.metadata.document.title", "eq", "nested"),
        ("nothing", "exists", True),
        ("nothing", "eq", None),
        ("nothing", "ne", 0),
    ],
)
def test_paths_reach_what_they_name(field: str, op: str, value: object) -> None:
    assert matches(condition(field, op, value))
    if op == "eq":
        assert not matches({"not": condition(field, op, value)})
        assert not matches(condition(field, "ne", value))


@pytest.mark.parametrize("path", ["gone", "document.source", "document.metadata.gone"])
def test_a_missing_field_matches_only_what_asks_for_no_value(path: str) -> None:
    for op, value in [
        ("eq", "x"),
        ("in", ["x"]),
        ("gt", "x"),
        ("lt", "x"),
        ("between", ["a", "z"]),
        ("contains", ""),
        ("icontains", ""),
        ("starts_with", ""),
        ("exists", True),
    ]:
        assert not matches(condition(path, op, value)), op
    for op, value in [("ne", "x"), ("nin", ["x"]), ("exists", False)]:
        assert matches(condition(path, op, value)), op


def test_a_field_that_the_schema_calls_string_is_compared_as_text() -> None:
    same_instant = condition("at", "eq", "2026-01-31T13:00:00+01:00")
    assert matches(same_instant)
    assert matches(same_instant, MetadataSchema({"at": FieldRule(FieldType.DATETIME)}))
    assert not matches(same_instant, MetadataSchema({"at": FieldRule(FieldType.STRING)}))


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (None, "/filter"),
        ([], "/filter"),
        ({}, "/filter"),
        ({"xor": []}, "/filter"),
        ({"and": [condition("a", "eq", 1)], "or": [condition("a", "eq", 1)]}, "/filter"),
        ({"field": "a", "op": "eq"}, "/filter"),
        (condition("a", "eq", 1) | {"more": 1}, "/filter"),
        ({"and": []}, "/filter/and"),
        ({"or": {}}, "/filter/or"),
        ({"not": []}, "/filter/not"),
        ({"or": [condition("a", "eq", 1), {"not": {}}]}, "/filter/or/1/not"),
        (condition("", "eq", 1), "/filter/field"),
        (condition(1, "eq", 1), "/filter/field"),
        (condition("document.gone", "eq", 1), "/filter/field"),
        (condition("chunk.embedding", "eq", 1), "/filter/field"),
        (condition("document.metadata.", "eq", 1), "/filter/field"),
        (condition("chunk.metadata.", "eq", 1), "/filter/field"),
        (condition("a", "like", 1), "/filter/op"),
        (condition("a", ["eq"], 1), "/filter/op"),
        (condition("a", "EQ", 1), "/filter/op"),
        (condition("a", "in", "x"), "/filter/value"),
        (condition("a", "nin", [0] * (MAX_VALUES + 1)), "/filter/value"),
        (condition("a", "gt", True), "/filter/value"),
        (condition("a", "lt", None), "/filter/value"),
        (condition("a", "gte", [1]), "/filter/value"),
        (condition("a", "between", 1), "/filter/value"),
        (condition("a", "between", [1]), "/filter/value"),
        (condition("a", "between", [1, "2"]), "/filter/value"),
        (condition("a", "between", [True, False]), "/filter/value"),
        (condition("a", "contains", ["x"]), "/filter/value"),
        (condition("a", "icontains", 1), "/filter/value"),
        (condition("a", "starts_with", None), "/filter/value"),
        (condition("a", "exists", 1), "/filter/value"),
        (condition("chunk.ordinal", "eq", "4"), "/filter/value"),
        (condition("chunk.ordinal", "contains", 4), "/filter/op"),
        (condition("chunk.created_at", "gt", "yesterday"), "/filter/value"),
        (condition("document.title", "in", ["a", 1]), "/filter/value/1"),
    ],
)
def test_what_is_no_filter(raw: object, pointer: str) -> None:
    assert pointers(raw) == [pointer]


@pytest.mark.parametrize(
    ("field", "op", "value", "pointer"),
    [
        ("gone", "eq", 1, "/filter/field"),
        ("author", "exists", True, "/filter/field"),
        ("chunk.metadata.gone", "eq", 1, "/filter/field"),
        ("s", "eq", 1, "/filter/value"),
        ("i", "eq", "1", "/filter/value"),
        ("i", "eq", True, "/filter/value"),
        ("i", "gt", 1.5, "/filter/value"),
        ("i", "in", [1, "2"], "/filter/value/1"),
        ("i", "between", ["a", "b"], "/filter/value/0"),
        ("i", "contains", 1, "/filter/op"),
        ("n", "lt", "1", "/filter/value"),
        ("b", "eq", 1, "/filter/value"),
        ("b", "gt", True, "/filter/op"),
        ("t", "eq", "2026-01-31", "/filter/value"),
        ("t", "contains", "2026", "/filter/op"),
        ("l", "eq", "a", "/filter/value"),
        ("l", "contains", 1, "/filter/value"),
        ("l", "starts_with", "a", "/filter/op"),
        ("author.name", "ne", None, "/filter/value"),
    ],
)
def test_a_schema_s_field_is_asked_for_its_type(
    field: str, op: str, value: object, pointer: str
) -> None:
    assert set(pointers(condition(field, op, value), SCHEMA)) >= {pointer}


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [
        ("i", "in", [1, 2]),
        ("n", "between", [1, 2.5]),
        ("b", "ne", True),
        ("t", "lt", "2026-01-31T12:00:00Z"),
        ("l", "contains", "a"),
        ("l", "eq", ["a"]),
        ("s", "exists", False),
        ("chunk.metadata.author.name", "starts_with", "x"),
        ("document.metadata.anything", "eq", 1),
    ],
)
def test_a_schema_allows_what_fits(field: str, op: str, value: object) -> None:
    filters.parse(condition(field, op, value), SCHEMA)


def test_every_fault_is_reported() -> None:
    raw = {"and": [condition("a", "like", 1), {"or": [{}, condition("b", "in", 1)]}]}
    assert pointers(raw) == ["/filter/and/0/op", "/filter/and/1/or/0", "/filter/and/1/or/1/value"]


def nested(depth: int) -> dict[str, Any]:
    raw = condition("a", "exists", False)
    for _ in range(depth - 1):
        raw = {"not": raw}
    return raw


def test_a_filter_is_only_so_deep_and_so_large() -> None:
    assert not matches(nested(MAX_DEPTH))  # an odd number of `not`s
    assert pointers(nested(MAX_DEPTH + 1)) == ["/filter"]
    leaf = condition("year", "eq", 2017)
    assert matches({"and": [leaf] * (MAX_NODES - 1)})
    assert pointers({"and": [leaf] * MAX_NODES}) == ["/filter"]


def test_parsed_filters_are_equal_by_what_they_say() -> None:
    raw = {"not": {"or": [condition("year", "gt", 1), condition("document.title", "eq", "x")]}}
    assert filters.parse(raw) == filters.parse(raw)
