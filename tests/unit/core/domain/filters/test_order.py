from datetime import timedelta
from typing import Any

import pytest

from core.domain.errors import Invalid
from core.domain.filters import SortKey, parse_order
from core.domain.filters.order import KEY_LENGTH
from core.domain.schema import FieldRule, FieldType, MetadataSchema
from tests.unit.core.builders import NOON, chunk, document


def key(value: Any, type_: FieldType | None = None) -> SortKey | None:
    schema = MetadataSchema({"x": FieldRule(type_)}) if type_ else None
    return parse_order("x", schema).keys()(chunk(metadata={"x": value}), document())


def test_keys_of_all_kinds_compare() -> None:
    ascending = [
        False,
        True,
        -1.5,
        0,
        10**30,
        "2026-01-31T13:00:00+02:00",
        "2026-01-31T12:00:00Z",
        "",
        "B",
        "a",
    ]
    keys = [key(value) for value in ascending]
    assert all(k is not None for k in keys)
    assert sorted(k for k in keys if k is not None) == keys


@pytest.mark.parametrize("value", [None, [], ["a"], {"a": 1}])
def test_what_has_no_order_has_no_key(value: object) -> None:
    assert key(value) is None


def test_a_missing_field_has_no_key() -> None:
    assert parse_order("gone").keys()(chunk(), document()) is None
    assert parse_order("-document.title").keys()(chunk(), document()) is None


def test_times_are_ordered_as_instants_unless_they_are_strings() -> None:
    assert key("2026-01-31T13:00:00+01:00") == key("2026-01-31T12:00:00Z")
    text = "2026-01-31T12:00:00Z"
    assert key(text, FieldType.STRING) == (3, text)
    of_chunk = parse_order("chunk.created_at").keys()
    later = chunk(created_at=NOON + timedelta(microseconds=1))
    first, second = of_chunk(chunk(), document()), of_chunk(later, document())
    assert first is not None
    assert second is not None
    assert first < second


def test_long_strings_are_ordered_by_their_beginning() -> None:
    assert key("x" * KEY_LENGTH + "a") == key("x" * KEY_LENGTH + "b")


def test_a_minus_means_descending() -> None:
    assert parse_order("-year").descending
    assert not parse_order("year").descending
    assert parse_order("-year").field == parse_order("year").field


@pytest.mark.parametrize("raw", ["", "-", "document.gone", "-chunk.embedding", "tags", "gone"])
def test_an_order_is_by_a_field_that_has_one(raw: str) -> None:
    schema = MetadataSchema({"tags": FieldRule(FieldType.STRING_LIST)}, additional=False)
    with pytest.raises(Invalid) as caught:
        parse_order(raw, schema)
    assert [fault.pointer for fault in caught.value.faults] == ["/order_by"]
