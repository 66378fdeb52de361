"""Filters against a naive reading of the contract, written without the code under test."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import filters
from core.domain.document import Chunk, Document
from tests.unit.core.builders import chunk, document

NOTHING = object()


def kind(value: Any) -> str:
    if value is None:
        return "null"
    for name, types in {"bool": bool, "number": (int, float), "list": list, "object": dict}.items():
        if isinstance(value, types):
            return name
    return "time" if as_time(value) else "text"


def as_time(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    text = str(value)
    try:
        moment = datetime.strptime(
            text[:19] + text[-6:].replace("Z", "+00:00"), "%Y-%m-%dT%H:%M:%S%z"
        )
    except ValueError:
        return None
    return moment


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
        isinstance(b, str) and b in a
        if isinstance(a, str)
        else isinstance(a, list) and any(same(x, b) for x in a)
    ),
    "icontains": lambda a, b: (
        b.casefold() in a.casefold()
        if isinstance(a, str)
        else isinstance(a, list)
        and any(isinstance(x, str) and x.casefold() == b.casefold() for x in a)
    ),
    "starts_with": lambda a, b: isinstance(a, str) and a[: len(b)] == b,
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
        return all([oracle(inner, of_chunk, of) for inner in raw["and"]])
    if "or" in raw:
        return any([oracle(inner, of_chunk, of) for inner in raw["or"]])
    if "not" in raw:
        return not oracle(raw["not"], of_chunk, of)
    value = value_of(raw["field"], dict(of_chunk.metadata), of)
    if value is NOTHING:
        return raw["op"] in {"ne", "nin"} or (raw["op"] == "exists" and raw["value"] is False)
    return OPERATORS[raw["op"]](value, raw["value"])


TIMES = ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00", "2026-01-31T12:00:01Z"]
numbers = st.sampled_from([0, 1, 1.0, -2, 2.5, 10**20])
strings = st.sampled_from(["", "a", "A", "ab", "Straße", "STRASSE", "2026", *TIMES])
scalars = st.one_of(numbers, strings, st.booleans(), st.none())
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("bc"), inner),
    max_leaves=4,
)
keys = st.sampled_from(["a", "b", "a.b"])
paths = st.sampled_from(["a", "b", "a.b", "document.metadata.a"])


def operands(op: str) -> st.SearchStrategy[Any]:
    match op:
        case "eq" | "ne":
            return values
        case "in" | "nin":
            return st.lists(values, max_size=3)
        case "gt" | "gte" | "lt" | "lte":
            return numbers | strings
        case "between":
            return st.lists(numbers, min_size=2, max_size=2) | st.lists(
                strings, min_size=2, max_size=2
            )
        case "contains":
            return scalars
        case "exists":
            return st.booleans()
    return strings


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    op = draw(st.sampled_from([*OPERATORS]))
    return {"field": draw(paths), "op": op, "value": draw(operands(op))}


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


@settings(max_examples=300, deadline=None)
@given(raw=raw_filters, of_chunk=metadata, of_document=metadata)
def test_a_filter_says_what_the_contract_says(
    raw: dict[str, Any], of_chunk: dict[str, Any], of_document: dict[str, Any]
) -> None:
    a_chunk, a_document = chunk(metadata=of_chunk), document(metadata=of_document)
    parsed = filters.parse(raw)
    assert filters.matches(parsed, a_chunk, a_document) is oracle(raw, a_chunk, a_document)
