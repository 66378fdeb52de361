"""Filters against a naive reading of the contract, written without the code under test."""

import unicodedata
from collections.abc import Callable
from datetime import datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import filters
from core.domain.document import Chunk, Document
from tests.unit.core.builders import chunk, document

NOTHING = object()


def kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):  # before the numbers, of which Python makes it one
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list | dict):
        return "list" if isinstance(value, list) else "object"
    return "time" if as_time(value) else "text"


def as_time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None


def same(a: Any, b: Any) -> bool:
    if kind(a) != kind(b):
        return False
    if kind(a) == "time":
        return as_time(a) == as_time(b)
    if kind(a) == "list":
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if kind(a) == "object":
        return set(a) == set(b) and all(same(a[key], b[key]) for key in a)
    return bool(a == b)


def less(a: Any, b: Any) -> bool:
    kinds = {kind(a), kind(b)}
    if kinds == {"time"}:
        first, second = as_time(a), as_time(b)
        assert first is not None
        assert second is not None
        return first < second
    if kinds == {"number"} or kinds <= {"text", "time"}:
        return bool(a < b)
    return False


def ordered(a: Any, b: Any) -> bool:
    return less(a, b) or less(b, a) or (same(a, b) and kind(a) in {"number", "time", "text"})


def nfc(value: Any) -> Any:
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def folded(text: str) -> Any:
    return nfc(nfc(text).casefold())


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": same,
    "ne": lambda a, b: not same(a, b),
    "in": lambda a, b: any(same(a, x) for x in b),
    "nin": lambda a, b: not any(same(a, x) for x in b),
    "gt": lambda a, b: less(b, a),
    "gte": lambda a, b: ordered(a, b) and not less(a, b),
    "lt": less,
    "lte": lambda a, b: ordered(a, b) and not less(b, a),
    "between": lambda a, b: OPERATORS["gte"](a, b[0]) and OPERATORS["lte"](a, b[1]),
    "contains": lambda a, b: (
        isinstance(b, str) and nfc(b) in nfc(a)
        if isinstance(a, str)
        else isinstance(a, list) and any(same(nfc(x), nfc(b)) for x in a)
    ),
    "icontains": lambda a, b: (
        folded(b) in folded(a)
        if isinstance(a, str)
        else isinstance(a, list) and any(isinstance(x, str) and folded(x) == folded(b) for x in a)
    ),
    "starts_with": lambda a, b: isinstance(a, str) and nfc(a)[: len(nfc(b))] == nfc(b),
    "exists": lambda a, b: b,
}


def value_of(path: str, metadata: dict[str, Any], of: Document) -> Any:
    if path.startswith("document.metadata."):
        return of.metadata.get(path.removeprefix("document.metadata."), NOTHING)
    if path == "a.b" and "a.b" not in metadata:
        inner = metadata.get("a")
        return inner.get("b", NOTHING) if isinstance(inner, dict) else NOTHING
    return metadata.get(path, NOTHING)


def oracle(raw: dict[str, Any], of_chunk: Chunk, of: Document) -> bool:
    if "and" in raw:
        return all(oracle(inner, of_chunk, of) for inner in raw["and"])
    if "or" in raw:
        return any(oracle(inner, of_chunk, of) for inner in raw["or"])
    if "not" in raw:
        return not oracle(raw["not"], of_chunk, of)
    value = value_of(raw["field"], dict(of_chunk.metadata), of)
    if value is NOTHING:
        return raw["op"] in {"ne", "nin"} or (raw["op"] == "exists" and raw["value"] is False)
    return OPERATORS[raw["op"]](value, raw["value"])


TIMES = ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00", "2026-01-31T12:00:01Z"]
NUMBERS = [0, 1, 1.0, -2, 2.5, 10**20]
STRINGS = ["", "a", "A", "ab", "Straße", "STRASSE", "é", "E\u0301", "e\u0301a", "2026", *TIMES]
SCALARS: list[Any] = [*NUMBERS, *STRINGS, True, False, None]
LISTS: list[Any] = [
    [],
    [1],
    [True],
    ["A", "ab"],
    [1, [1.0]],
    ["é"],
    ["e\u0301"],
    *[[time] for time in TIMES],
]
VALUES: list[Any] = [*SCALARS, *LISTS, {}, {"b": 1}, {"b": 1.0}, {"b": True, "c": [None]}]

OPERANDS: dict[str, list[Any]] = {
    "eq": VALUES,
    "ne": VALUES,
    "in": [[], *[[value] for value in VALUES], VALUES],
    "nin": [[], *[[value] for value in VALUES], VALUES],
    **{op: [*NUMBERS, *STRINGS] for op in ["gt", "gte", "lt", "lte"]},
    "between": [
        [low, high] for pool in (NUMBERS, STRINGS) for low, high in product(pool, repeat=2)
    ],
    "contains": SCALARS,
    "icontains": STRINGS,
    "starts_with": STRINGS,
    "exists": [True, False],
}


@pytest.mark.parametrize("op", list(OPERATORS))
def test_each_operator_on_each_kind_of_value(op: str) -> None:
    for operand in OPERANDS[op]:
        raw = {"field": "a", "op": op, "value": operand}
        predicate = filters.compile_filter(filters.parse(raw))
        for value in VALUES:
            a_chunk = chunk(metadata={"a": value})
            assert predicate(a_chunk, document()) is oracle(raw, a_chunk, document()), (raw, value)


scalars = st.sampled_from(SCALARS)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("bc"), inner),
    max_leaves=4,
)
keys = st.sampled_from(["a", "b", "a.b"])
paths = st.sampled_from(["a", "b", "a.b", "document.metadata.a"])


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    op = draw(st.sampled_from([*OPERATORS]))
    return {"field": draw(paths), "op": op, "value": draw(st.sampled_from(OPERANDS[op]))}


raw_filters = st.recursive(
    conditions(),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"and": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"or": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=5,
)
metadata = st.dictionaries(keys, values)


@settings(max_examples=150)
@given(raw=raw_filters, of_chunk=metadata, of_document=metadata)
def test_a_filter_says_what_the_contract_says(
    raw: dict[str, Any], of_chunk: dict[str, Any], of_document: dict[str, Any]
) -> None:
    a_chunk, a_document = chunk(metadata=of_chunk), document(metadata=of_document)
    parsed = filters.parse(raw)
    assert filters.matches(parsed, a_chunk, a_document) is oracle(raw, a_chunk, a_document)
