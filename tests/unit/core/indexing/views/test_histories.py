"""Any history of writes and builds, against a dictionary; every view on the way stays as it was."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.domain import filters
from core.domain.filters import Filter
from core.domain.library import IndexKind, IndexSpec, Metric
from core.indexing.maintenance.merge_policy import next_job
from core.indexing.segment.segment import Segment
from core.indexing.views.next_view import (
    freeze_delta,
    with_chunks,
    with_documents,
    with_library,
    with_segment,
    without_chunks,
)
from core.indexing.views.view import LibraryView
from tests.unit.core.builders import chunk, document, embedded, library
from tests.unit.core.indexing.segments import SEGMENT_BUILDER, row_ids

Vector = tuple[int, int]
Contents = dict[str, Vector]

IDS = st.sampled_from([f"c{i:02}" for i in range(30)])
VECTORS = st.tuples(st.integers(-3, 3), st.integers(-3, 3))
RIGHT = filters.parse({"field": "x", "op": "gte", "value": 1})
FEW = filters.parse({"field": "chunk.id", "op": "in", "value": ["c01", "c07", "c20"]})
QUERIES = np.array([[0, 0], [3, -2]], np.float32)


@dataclass(frozen=True, slots=True)
class Build:
    """A build in progress; writes may precede its publication."""

    segments: tuple[Segment, ...]
    segment: Segment


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.view = with_documents(LibraryView.empty(library(metric=Metric.L2)), [document()])
        self.contents: Contents = {}
        self.builds: list[Build] = []
        self.past: list[tuple[LibraryView, Contents]] = []

    @rule(rows=st.lists(st.tuples(IDS, VECTORS), min_size=1, max_size=12))
    def put(self, rows: list[tuple[str, Vector]]) -> None:
        added = [embedded(chunk(id_, metadata={"x": v[0]}), v) for id_, v in rows]
        self.move_to(with_chunks(self.view, added), {**self.contents, **dict(rows)})

    @rule(ids=st.sets(IDS, max_size=20))
    def delete(self, ids: set[str]) -> None:
        rest = {id_: v for id_, v in self.contents.items() if id_ not in ids}
        self.move_to(without_chunks(self.view, ids), rest)

    @rule()
    def fail_half_way(self) -> None:
        with_chunks(self.view, [embedded(chunk(f"lost{i}"), (i, 0)) for i in range(5)])

    @rule(kind=st.sampled_from(IndexKind))
    def ask_for_another_index(self, kind: IndexKind) -> None:
        wanted = replace(self.view.library, index=IndexSpec(kind))
        self.move_to(with_library(self.view, wanted), self.contents)

    @rule()
    def change_the_metric_there_and_back(self) -> None:
        dot = replace(self.view.library, metric=Metric.DOT)
        back = with_library(with_library(self.view, dot), self.view.library)
        self.move_to(back, self.contents)

    @rule()
    def freeze(self) -> None:
        self.move_to(freeze_delta(self.view), self.contents)

    @precondition(lambda self: any(segment.frozen for segment in self.view.segments))
    @rule(draw=st.data())
    def build(self, draw: st.DataObject) -> None:
        ready = [segment for segment in self.view.segments if segment.frozen]
        start = draw.draw(st.integers(0, len(ready) - 1))
        stop = draw.draw(st.integers(start + 1, len(ready)))
        segments = tuple(ready[start:stop])
        spec, documents = self.view.library.index, self.view.documents
        segment = SEGMENT_BUILDER.build(segments, spec, documents, lambda: False)
        assert segment.deleted == 0
        self.builds.append(Build(segments, segment))

    @precondition(lambda self: self.builds)
    @rule(draw=st.data())
    def publish(self, draw: st.DataObject) -> None:
        """Publish any build; others of the same segments are then obsolete."""
        build = self.builds.pop(draw.draw(st.integers(0, len(self.builds) - 1)))
        after = with_segment(self.view, build.segments, build.segment)
        if after is not None:
            self.move_to(after, self.contents)

    def move_to(self, view: LibraryView, contents: Contents) -> None:
        self.past.append((self.view, self.contents))
        self.view, self.contents = view, contents

    @invariant()
    def the_newest_is_right(self) -> None:
        check(self.view, self.contents)

    def teardown(self) -> None:
        for view, contents in self.past:
            check(view, contents)


def check(view: LibraryView, contents: Contents) -> None:
    assert set(row_ids(view)) == set(contents)
    for id_, row_id in row_ids(view).items():
        assert view.chunk(row_id).id == id_
        assert tuple(view.embedding(row_id)) == contents[id_]
    assert sum(segment.live for segment in view.segments) == view.vectors
    for segment in view.segments:
        assert segment.live == np.count_nonzero(segment.alive[: segment.size]) > 0
    assert bool(view.segments) == bool(contents) == bool(view.memory_bytes)
    next_job(view, quiet=True)
    for k in (1, 5, 40):
        check_search(view, contents, k, None)
    check_search(view, {i: v for i, v in contents.items() if v[0] >= 1}, 4, RIGHT)
    check_search(view, {i: v for i, v in contents.items() if i in {"c01", "c07", "c20"}}, 2, FEW)


def check_search(view: LibraryView, wanted: Contents, k: int, filter_: Filter | None) -> None:
    matches = view.matching(filter_)
    assert matches.count == len(wanted)
    assert {chunk.id for chunk in view.chunks(matches)} == set(wanted)
    assert view.row_ids(matches).tolist() == sorted(row_ids(view)[id_] for id_ in wanted)
    rankings = view.search(QUERIES, k, matches=None if filter_ is None else matches)
    for query, ranking in zip(QUERIES.tolist(), rankings, strict=True):
        nearest = sorted(
            ((v[0] - query[0]) ** 2 + (v[1] - query[1]) ** 2, id_) for id_, v in wanted.items()
        )
        ids = [view.chunk(row_id).id for row_id in ranking.row_ids.tolist()]
        assert ids == [id_ for _, id_ in nearest[:k]]
        np.testing.assert_allclose(ranking.scores**2, [d for d, _ in nearest[:k]], rtol=1e-6)


test_histories = pytest.mark.filterwarnings("error")(Histories.TestCase)
Histories.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
