from datetime import UTC, datetime

import pytest

from core.domain.pointers import join
from core.domain.values import MISSING, instant, locate


def test_a_pointer_escapes_its_tokens() -> None:
    assert join("/metadata", "a/b", "c~d", 0) == "/metadata/a~1b/c~0d/0"


@pytest.mark.parametrize(
    ("metadata", "name", "place", "value"),
    [
        ({"year": 1}, "year", ("year",), 1),
        ({"year": None}, "year", ("year",), None),
        ({"author": {"name": "x"}}, "author.name", ("author", "name"), "x"),
        ({"author.name": "y", "author": {"name": "x"}}, "author.name", ("author.name",), "y"),
        ({"a": {"b.c": 1}}, "a.b.c", ("a", "b.c"), 1),
        ({"a": {"b": {"c": 1}}}, "a.b.c", ("a", "b", "c"), 1),
        ({}, "year", ("year",), MISSING),
        ({"author": "x"}, "author.name", ("author", "name"), MISSING),
        ({"author": [{"name": "x"}]}, "author.name", ("author", "name"), MISSING),
        ({"a": {"x": 1}, "a.b": {"c": 2}}, "a.b.c", ("a", "b", "c"), MISSING),
    ],
)
def test_a_name_is_a_key_or_else_a_path(
    metadata: dict[str, object], name: str, place: tuple[str, ...], value: object
) -> None:
    assert locate(metadata, name) == (place, value)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31t12:00:00z",
        "2026-01-31T12:00:00.000+00:00",
        "2026-01-31T13:30:00+01:30",
        "2026-01-31T04:00:00.0000000001-08:00",
    ],
)
def test_date_times_mean_instants(text: str) -> None:
    assert instant(text) == datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00Z",
        "20260131T120000Z",
        "2026-02-30T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:00:00+25:00",
        "2026-01-31T12:00:00+00:60",
        "2026-01-31T12:00:60Z",
        "0000-01-01T00:00:00Z",
        "2026-01-31T12:00:00Z\n",
        "٢٠٢٦-01-31T12:00:00Z",
        "2026-W05-6T12:00:00Z",
    ],
)
def test_what_is_no_date_time(text: str) -> None:
    assert instant(text) is None


def test_the_ends_of_time_compare_with_any_offset() -> None:
    first, last = instant("0001-01-01T00:00:00+14:00"), instant("9999-12-31T23:59:59-12:00")
    assert first is not None
    assert last is not None
    assert first < last
    assert len({first, last}) == 2
