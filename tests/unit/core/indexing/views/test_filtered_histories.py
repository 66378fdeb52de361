"""Matches and their order after any history of chunks, documents and builds."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.domain import filters
from core.domain.document import Chunk, Document
from core.indexing.attributes import evaluation
from core.indexing.query import listing
from core.indexing.query.listing import select
from core.indexing.segment import segment
from core.indexing.segment.segment import Segment
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
from tests.unit.core.indexing.segments import SEGMENT_BUILDER, row_ids

IDS = st.sampled_from([f"c{i:02}" for i in range(24)])
DOCUMENTS = st.sampled_from(["d0", "d1", "d2"])
VALUES = st.sampled_from([0, 1, 1.5, True, "a", "b", None, "2026-01-31T12:00:00Z", ["a"], ...])
FILTERS: list[dict[str, Any]] = [
    {"field": "x", "op": "gte", "value": 1},
    {"field": "x", "op": "contains", "value": "a"},
    {"field": "document.title", "op": "eq", "value": "a"},
    {"not": {"field": "document.title", "op": "starts_with", "value": "b"}},
    {
        "or": [
            {"field": "document.metadata.x", "op": "exists", "value": False},
            {"field": "x", "op": "eq", "value": True},
        ]
    },
]
ORDERS = [None, "x", "-x", "document.title", "-document.metadata.x"]


@pytest.fixture(autouse=True)
def indexes_are_asked_for_any_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "_BUILD_FROM", 0)
    monkeypatch.setattr(segment, "_STALE_SHARE", 0.7)
    monkeypatch.setattr(listing, "_FEW", 0)


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.view = LibraryView.empty(library())
        self.builds: list[tuple[tuple[Segment, ...], Segment]] = []
        self.past: list[tuple[LibraryView, list[Any]]] = []

    @rule(id_=DOCUMENTS, title=st.sampled_from([None, "a", "b", "ab"]), value=VALUES)
    def put_document(self, id_: str, title: str | None, value: Any) -> None:
        metadata = {} if value is ... else {"x": value}
        put = replace(document(id_, title=title), metadata=metadata)
        self.move_to(with_documents(self.view, [put]))

    @precondition(lambda self: self.view.documents)
    @rule(rows=st.lists(st.tuples(IDS, VALUES), min_size=1, max_size=8), draw=st.data())
    def put(self, rows: list[tuple[str, Any]], draw: st.DataObject) -> None:
        there = sorted(self.view.documents)
        added = [
            chunk(
                id_,
                document_id=draw.draw(st.sampled_from(there)),
                metadata={} if value is ... else {"x": value},
            )
            for id_, value in rows
        ]
        self.move_to(with_chunks(self.view, [embedded(item, (0, 0)) for item in added]))

    @rule(ids=st.sets(IDS, max_size=8))
    def delete(self, ids: set[str]) -> None:
        self.move_to(without_chunks(self.view, ids))

    @precondition(lambda self: self.view.documents)
    @rule(draw=st.data())
    def delete_document(self, draw: st.DataObject) -> None:
        id_ = draw.draw(st.sampled_from(sorted(self.view.documents)))
        ids = [item.id for item in everything(self.view) if item.document_id == id_]
        self.move_to(without_document(without_chunks(self.view, ids), id_))

    @precondition(lambda self: self.view.segments)
    @rule(draw=st.data())
    def build(self, draw: st.DataObject) -> None:
        self.move_to(freeze_delta(self.view))
        start = draw.draw(st.integers(0, len(self.view.segments) - 1))
        segments = self.view.segments[start:]
        spec, documents = self.view.library.index, self.view.documents
        self.builds.append(
            (segments, SEGMENT_BUILDER.build(segments, spec, documents, lambda: False))
        )

    @precondition(lambda self: self.builds)
    @rule()
    def publish(self) -> None:
        self.move_to(with_segment(self.view, *self.builds.pop(0)) or self.view)

    def move_to(self, view: LibraryView) -> None:
        self.past.append((self.view, answers(self.view)))
        self.view = view

    @invariant()
    def the_newest_is_right(self) -> None:
        view = self.view
        for raw in FILTERS:
            wanted = filters.parse(raw)
            is_match = filters.compile_filter(wanted)
            rows = [c for c in everything(view) if is_match(c, view.documents[c.document_id])]
            matches = view.matching(wanted)
            assert {c.id for c in view.chunks(matches)} == {c.id for c in rows}
            assert matches.count == len(rows)
        for order_by in ORDERS:
            assert listed(view, order_by) == in_order(view, order_by)

    def teardown(self) -> None:
        for view, seen in self.past:
            assert answers(view) == seen


def test_a_document_that_changes_while_a_segment_is_built() -> None:
    titled = filters.parse({"field": "document.title", "op": "eq", "value": "new"})
    view = with_documents(LibraryView.empty(library()), [document("d", title="old"), document("e")])
    view = with_chunks(view, [embedded(chunk("a", document_id="d"), (0, 0))])
    view = freeze_delta(view)
    segment = SEGMENT_BUILDER.build(
        view.segments, view.library.index, view.documents, lambda: False
    )
    changed = with_documents(view, [document("d", title="new"), document("e", title="new")])
    after = with_segment(changed, view.segments, segment)
    assert after is not None
    assert after.matching(titled).count == 1


def everything(view: LibraryView) -> list[Chunk]:
    return [view.chunk(row_id) for row_id in row_ids(view).values()]


def answers(view: LibraryView) -> list[Any]:
    matching = [view.matching(filters.parse(raw)) for raw in FILTERS]
    ids = [sorted(c.id for c in view.chunks(matches)) for matches in matching]
    return [*ids, *(listed(view, order_by) for order_by in ORDERS)]


def listed(view: LibraryView, order_by: str | None) -> list[str]:
    return [item.id for page in pages(view, order_by) for item in page]


def pages(view: LibraryView, order_by: str | None) -> Iterator[list[Chunk]]:
    order = filters.parse_order(order_by) if order_by else None
    after = None
    while True:
        page = select(view, None, order, after=after, limit=3)
        yield list(page.chunks)
        after = page.after
        if after is None:
            return


def in_order(view: LibraryView, order_by: str | None) -> list[str]:
    rows = sorted(everything(view), key=lambda c: c.id)
    if order_by is None:
        return [c.id for c in rows]
    order = filters.parse_order(order_by)
    key_of = order.keys()

    def key(item: Chunk) -> filters.SortKey | None:
        of: Document = view.documents[item.document_id]
        return key_of(item, of)

    keyed = [(sort_key, c.id) for c in rows if (sort_key := key(c)) is not None]
    keyed.sort(key=lambda pair: pair[0], reverse=order.descending)
    return [id_ for _, id_ in keyed] + [c.id for c in rows if key(c) is None]


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=30, stateful_step_count=25)
