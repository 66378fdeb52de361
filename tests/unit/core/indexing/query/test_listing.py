from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import filters
from core.indexing.query.listing import After, ChunkPage, select
from core.indexing.views.next_view import with_chunks, with_documents, without_chunks
from core.indexing.views.view import LibraryView
from tests.unit.core.builders import chunk, document, embedded, library
from tests.unit.core.indexing.segments import row_ids

KEYS: list[Any] = [None, True, 1, 1.0, -2, "a", "b", "2026-01-31T12:00:00Z", ["x"]]


def view_of(metadata: list[dict[str, Any]]) -> LibraryView:
    view = with_documents(LibraryView.empty(library()), [document()])
    rows = [embedded(chunk(f"c{i * 7 % 29:02}", metadata=m)) for i, m in enumerate(metadata)]
    return with_chunks(view, rows)


def pages(view: LibraryView, order_by: str | None, limit: int) -> list[ChunkPage]:
    """Return all pages, with each place encoded as JSON and decoded, as in a cursor."""
    order = filters.parse_order(order_by) if order_by else None
    listed = [select(view, None, order, after=None, limit=limit)]
    while (after := listed[-1].after) is not None:
        sent = After.from_json(orjson.loads(orjson.dumps(after.to_json())))
        listed.append(select(view, None, order, after=sent, limit=limit))
    return listed


def ids(listed: list[ChunkPage]) -> list[str]:
    return [item.id for page in listed for item in page.chunks]


@settings(max_examples=60)
@given(
    values=st.lists(st.sampled_from(KEYS) | st.none(), max_size=29),
    order_by=st.sampled_from([None, "x", "-x"]),
    limit=st.integers(1, 8),
)
def test_pages_have_every_chunk_once_and_in_order(
    values: list[Any], order_by: str | None, limit: int
) -> None:
    view = view_of([{} if value is None else {"x": value} for value in values])
    listed = pages(view, order_by, limit)
    assert all(len(page.chunks) == limit for page in listed[:-1])
    everything = ids(pages(view, order_by, 100))
    assert ids(listed) == everything
    assert sorted(everything) == sorted(row_ids(view))


def test_the_order_is_by_kind_then_value_then_id_with_the_rest_last() -> None:
    view = view_of([{"x": 2}, {}, {"x": "b"}, {"x": 1}, {"x": 2}, {"x": None}, {"x": True}])
    # c00: 2, c07: -, c14: "b", c21: 1, c28: 2, c06: null, c13: true
    assert ids(pages(view, "x", 3)) == ["c13", "c21", "c00", "c28", "c14", "c06", "c07"]
    assert ids(pages(view, "-x", 3)) == ["c14", "c00", "c28", "c21", "c13", "c06", "c07"]


@pytest.mark.parametrize("order_by", [None, "-x"])
def test_a_page_goes_on_where_a_deleted_chunk_was(order_by: str | None) -> None:
    view = view_of([{"x": i % 3} for i in range(20)])
    order = filters.parse_order(order_by) if order_by else None
    everything = ids(pages(view, order_by, 100))
    first = select(view, None, order, after=None, limit=5)
    without = without_chunks(view, [item.id for item in first.chunks])
    second = select(without, None, order, after=first.after, limit=100)
    assert [item.id for item in second.chunks] == everything[5:]
    assert second.after is None


def test_a_listing_has_what_matches() -> None:
    view = view_of([{"x": i} for i in range(10)])
    wanted = filters.parse({"field": "x", "op": "gte", "value": 7})
    for order in (None, filters.parse_order("x")):
        page = select(view, wanted, order, after=None, limit=2)
        rest = select(view, wanted, order, after=page.after, limit=2)
        values = {item.metadata["x"] for item in [*page.chunks, *rest.chunks]}
        assert values == {7, 8, 9}
        assert rest.after is None
