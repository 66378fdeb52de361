"""Filters and listings on sealed segments during changes, against a scan of all rows."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import filters
from core.domain.document import Chunk
from core.domain.filters import Filter, Order
from core.domain.library import IndexSpec
from core.indexing.maintenance.segment_builder import SegmentBuilder
from core.indexing.query.listing import After, select
from core.indexing.views.next_view import (
    freeze_delta,
    with_chunks,
    with_documents,
    with_segment,
    without_chunks,
    without_document,
)
from core.indexing.views.view import LibraryView
from tests.unit.core.builders import chunk, document, embedded, library
from tests.unit.core.indexing.segments import row_ids

VALUES: list[Any] = [None, True, 1, 1.0, -2, "a", "b", "2026-01-31T12:00:00Z", ["x"], "a" * 300]
DOCUMENTS = ["d0", "d1", "d2", "d3"]
FILTERS = [
    None,
    {"field": "x", "op": "gte", "value": 1},
    {"field": "x", "op": "ne", "value": "a"},
    {"field": "document.title", "op": "eq", "value": "a"},
    {"not": {"field": "document.metadata.y", "op": "exists", "value": True}},
    {"field": "chunk.id", "op": "in", "value": ["c1", "c2", "c3", "gone"]},
]
ORDERS = [None, "x", "-x", "document.title", "-document.metadata.y", "-chunk.text", "chunk.id"]


def seal_all(view: LibraryView) -> LibraryView:
    """Merge all rows into one segment."""
    view = freeze_delta(view)
    return swap_in_segment(view, begun=view)


def swap_in_segment(view: LibraryView, *, begun: LibraryView) -> LibraryView:
    """Build a segment from the segments of an earlier, frozen view, and swap it in."""
    segment = SegmentBuilder().build(begun.segments, IndexSpec(), begun.documents, lambda: False)
    return with_segment(view, begun.segments, segment) or view


ids = st.integers(0, 25).map("c{}".format)
of_chunks = st.tuples(ids, st.sampled_from(DOCUMENTS), st.sampled_from([*VALUES, "missing"]))
of_documents = st.tuples(
    st.sampled_from(DOCUMENTS), st.none() | st.sampled_from("ab"), st.sampled_from(VALUES)
)
steps = st.one_of(
    st.tuples(st.just("chunks"), st.lists(of_chunks, min_size=1, max_size=12)),
    st.tuples(st.just("documents"), st.lists(of_documents, min_size=1, max_size=2)),
    st.tuples(st.just("delete"), st.lists(ids, max_size=4)),
    st.tuples(st.just("drop"), st.sampled_from(DOCUMENTS)),
    st.tuples(st.just("seal"), st.none()),
    st.tuples(st.just("begin"), st.none()),
    st.tuples(st.just("end"), st.none()),
)


class Life:
    """A library's life, step by step; one step begins a segment, a later one swaps it in."""

    def __init__(self) -> None:
        self.view = with_documents(LibraryView.empty(library()), map(document, DOCUMENTS))
        self.begun: LibraryView | None = None

    def take(self, step: str, what: Any) -> None:
        match step:
            case "chunks":
                self._put(what)
            case "documents":
                changed = [document(id_, title=title, metadata={"y": y}) for id_, title, y in what]
                self.view = with_documents(self.view, changed)
            case "delete":
                self.view = without_chunks(self.view, what)
            case "drop":
                gone = [item.id for item in chunks_of(self.view) if item.document_id == what]
                self.view = without_document(without_chunks(self.view, gone), what)
                self.view = with_documents(self.view, [document(what, title="b")])
            case "seal" if self.view.segments:
                self.view = seal_all(self.view)
                self.begun = None
            case "begin" if self.view.segments:
                self.view = self.begun = freeze_delta(self.view)
            case "end" if self.begun is not None:
                begun, self.begun = self.begun, None
                self.view = swap_in_segment(self.view, begun=begun)

    def _put(self, what: list[tuple[str, str, Any]]) -> None:
        last = {
            id_: embedded(
                chunk(
                    id_,
                    document_id=of,
                    text=str(value)[:2],
                    metadata={} if value == "missing" else {"x": value},
                )
            )
            for id_, of, value in what
        }
        self.view = with_chunks(self.view, list(last.values()))


def chunks_of(view: LibraryView) -> list[Chunk]:
    return [view.chunk(row_id) for row_id in row_ids(view).values()]


def matching(view: LibraryView, filter_: Filter | None) -> list[Chunk]:
    matches = filters.compile_filter(filter_) if filter_ else lambda _, __: True
    return [c for c in chunks_of(view) if matches(c, view.documents[c.document_id])]


def in_order(chunks: list[Chunk], documents: Any, order: Order | None) -> list[str]:
    chunks = sorted(chunks, key=lambda c: c.id)
    if order is None:
        return [c.id for c in chunks]
    key_of = order.keys()
    keyed = [(key_of(c, documents[c.document_id]), c.id) for c in chunks]
    first = sorted(
        ((key, id_) for key, id_ in keyed if key is not None),
        key=lambda item: item[0],
        reverse=order.descending,
    )
    return [id_ for _, id_ in first] + [id_ for key, id_ in keyed if key is None]


def pages(
    view: LibraryView, filter_: Filter | None, order: Order | None, limit: int
) -> Iterator[str]:
    after: After | None = None
    while True:
        page = select(view, filter_, order, after=after, limit=limit)
        yield from (item.id for item in page.chunks)
        if (after := page.after) is None:
            return


@pytest.fixture(params=[0, 256], ids=["by order", "by sorting"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the number of rows that are sorted; at 0 all segments are walked in their order."""
    monkeypatch.setattr("core.indexing.query.listing._FEW", request.param)


@pytest.mark.usefixtures("few")
@settings(max_examples=150)
@given(
    taken=st.lists(steps, max_size=14),
    raw=st.sampled_from(FILTERS),
    order_by=st.sampled_from(ORDERS),
    limit=st.integers(1, 9),
)
def test_what_is_found_is_what_a_look_at_everything_finds(
    taken: list[tuple[str, Any]], raw: dict[str, Any] | None, order_by: str | None, limit: int
) -> None:
    filter_ = filters.parse(raw) if raw else None
    order = filters.parse_order(order_by) if order_by else None
    life = Life()
    seen = []
    for step, what in taken:
        life.take(step, what)
        view = life.view
        expected = in_order(matching(view, filter_), view.documents, order)
        seen.append((view, expected))
        assert list(pages(view, filter_, order, limit)) == expected
    for view, expected in seen:  # later changes do not affect earlier views
        matches = view.matching(filter_)
        assert matches.count == len(expected)
        assert sorted(c.id for c in view.chunks(matches)) == sorted(expected)


def large(count: int = 3000) -> LibraryView:
    titled = [document(id_, title=f"title of {id_}") for id_ in DOCUMENTS]
    rows = [
        embedded(chunk(f"c{i * 7 % count:05}", document_id=f"d{i % 4}", metadata={"x": i % 10}))
        for i in range(count)
    ]
    view = with_chunks(with_documents(LibraryView.empty(library()), titled), rows)
    return seal_all(view)


def test_a_changed_document_is_stale_until_too_many_are() -> None:
    many = [document(f"m{i}") for i in range(64)]
    rows = [embedded(chunk(f"c{i}", document_id=f"m{i}")) for i in range(64)]
    view = seal_all(with_chunks(with_documents(LibraryView.empty(library()), many), rows))
    titled = filters.parse({"field": "document.title", "op": "exists", "value": True})
    assert view.matching(titled).count == 0
    for changed in range(10):
        view = with_documents(view, [document(f"m{changed}", title="new")])
        assert len(view.segments[0].stale) == (changed + 1) % 5
        assert view.matching(titled).count == changed + 1


def test_a_document_that_a_part_has_not_leaves_it_as_it_is() -> None:
    view = with_documents(large(), [document("other")])
    assert with_documents(view, [document("other", title="b")]).segments[0] is view.segments[0]


def test_a_long_listing_by_what_documents_say() -> None:
    view = with_documents(large(), [document("d2", title="a"), document("d0")])
    order = filters.parse_order("-document.title")
    odd = filters.parse({"field": "x", "op": "in", "value": [1, 3, 5, 7, 9]})
    for filter_ in (None, odd):
        expected = in_order(matching(view, filter_), view.documents, order)
        assert list(pages(view, filter_, order, 700)) == expected


def test_fields_that_were_asked_for_are_indexed_again() -> None:
    view = large()
    view.matching(filters.parse({"field": "rare", "op": "exists", "value": True}))
    view = seal_all(with_chunks(view, [embedded(chunk("new", document_id="d1"))]))
    attributes = view.segments[0].attributes
    assert attributes is not None
    assert {"rare", "x"} <= {field.key for field in attributes.fields}
    assert view.memory_bytes > attributes.memory_bytes > 0
