from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from core.domain.library import Metric
from core.indexing.maintenance.index_status import index_status
from core.indexing.segment.segment import Segment
from core.indexing.views.next_view import (
    freeze_delta,
    with_chunks,
    with_documents,
    with_library,
    with_segment,
    without_chunks,
    without_document,
)
from core.indexing.views.view import LibraryView
from tests.unit.core.builders import chunk, document, embedded, library
from tests.unit.core.indexing.segments import SEGMENT_BUILDER, row_ids


def empty(metric: Metric = Metric.L2) -> LibraryView:
    return with_documents(LibraryView.empty(library(metric=metric)), [document()])


def contents(view: LibraryView) -> dict[str, tuple[str, list[float]]]:
    return {
        id_: (view.chunk(row).text, view.embedding(row).tolist())
        for id_, row in row_ids(view).items()
    }


def test_a_view_stays_as_it_is_whatever_comes_after() -> None:
    first = with_chunks(empty(), [embedded(chunk("a", text="1"), (1, 0))])
    second = with_chunks(first, [embedded(chunk("b"), (0, 1)), embedded(chunk("a"), (2, 0))])
    third = without_chunks(second, ["a", "b"])
    assert contents(first) == {"a": ("1", [1, 0])}
    assert contents(second) == {"a": ("", [2, 0]), "b": ("", [0, 1])}
    assert contents(third) == {}
    for view, ids in ((first, ["a"]), (second, ["b", "a"]), (third, [])):
        [ranking] = view.search(np.array([[0, 1]], np.float32), 5)
        assert [view.chunk(row).id for row in ranking.row_ids] == ids


@pytest.mark.parametrize("metric", list(Metric))
def test_embeddings_come_back_bit_for_bit(metric: Metric) -> None:
    given = np.array([[0.1, -1e30], [1e-45, 3e-39], [3e38, 3e38], [1 / 3, 5]], np.float32)
    rows = [embedded(chunk(f"c{i}"), row) for i, row in enumerate(given.tolist())]
    view = with_chunks(empty(metric), rows)
    for i, row in enumerate(given):
        assert view.embedding(i).tobytes() == row.tobytes()


def test_rows_are_shared_and_grow_by_doubling() -> None:
    view = empty()
    matrices: list[NDArray[np.float32]] = []
    for i in range(1000):
        view = with_chunks(view, [embedded(chunk(f"c{i}"), (i, 1))])
        [delta] = view.segments
        if not matrices or matrices[-1] is not delta.rows.matrix:
            matrices.append(delta.rows.matrix)
    assert len(matrices) <= 11
    assert contents(view) == {f"c{i}": ("", [i, 1]) for i in range(1000)}


def test_a_write_that_failed_half_way_leaves_nothing() -> None:
    view = with_chunks(empty(), [embedded(chunk(id_)) for id_ in "abcd"])
    view = without_chunks(view, ["a"])
    abandoned = with_chunks(view, [embedded(chunk("x", text="lost"), (9, 9))])
    assert abandoned.vectors == 4
    again = with_chunks(view, [embedded(chunk("y", text="kept"), (7, 7))])
    assert contents(again)["y"] == ("kept", [7, 7])
    assert "x" not in contents(again)


def test_the_last_of_two_versions_in_one_batch_stays() -> None:
    view = with_chunks(empty(), [embedded(chunk("a", text=t), (1, i)) for i, t in enumerate("xyz")])
    assert contents(view) == {"a": ("z", [1, 2])}


def test_space_is_given_back_once_more_than_half_is_dead() -> None:
    ids = [f"c{i:03}" for i in range(100)]
    view = with_chunks(empty(), [embedded(chunk(id_), (i, 1)) for i, id_ in enumerate(ids)])
    half = without_chunks(view, ids[:50])
    assert half.deleted == 50
    fewer = without_chunks(half, ids[50:51])
    assert (fewer.deleted, fewer.vectors) == (0, 49)
    assert fewer.memory_bytes < view.memory_bytes
    assert contents(fewer) == {id_: contents(view)[id_] for id_ in ids[51:]}
    none = without_chunks(fewer, [*ids, "unknown"])
    assert (none.segments, none.memory_bytes) == ((), 0)


def test_rewriting_one_chunk_for_ever_takes_no_more_space() -> None:
    view = with_chunks(empty(), [embedded(chunk("a"))])
    for i in range(100):
        view = with_chunks(view, [embedded(chunk("a"), (i, 1))])
    assert contents(view) == {"a": ("", [99, 1])}
    [delta] = view.segments
    assert delta.rows.capacity <= 8


def test_an_emptied_library_takes_another_dimension_and_metric() -> None:
    view = without_chunks(with_chunks(empty(), [embedded(chunk("a"))]), ["a"])
    changed = replace(view.library, metric=Metric.COSINE, dimension=3)
    view = with_chunks(with_library(view, changed), [embedded(chunk("a"), (0, 3, 4))])
    [ranking] = view.search(np.array([[0, 3, 4]], np.float32), 1)
    assert ranking.scores.tolist() == [1.0]


def test_documents_come_change_and_go() -> None:
    view = with_chunks(empty(), [embedded(chunk("a"))])
    renamed = with_documents(view, [document(title="new")])
    assert view.document(0).title is None
    assert renamed.document(0).title == "new"
    assert not without_document(without_chunks(renamed, ["a"]), "d").documents


def in_three_parts() -> LibraryView:
    view = empty()
    for ids in ("ab", "cd", "ef"):
        view = freeze_delta(with_chunks(view, [embedded(chunk(id_), (ord(id_), 1)) for id_ in ids]))
    return view


def segment_of(view: LibraryView, start: int, stop: int) -> Segment:
    segments = view.segments[start:stop]
    return SEGMENT_BUILDER.build(segments, view.library.index, view.documents, lambda: False)


@pytest.mark.parametrize("lost", ["ab", "cd"])
def test_a_segment_of_parts_that_are_not_all_there_is_none(lost: str) -> None:
    view = in_three_parts()
    segment = segment_of(view, 0, 2)
    assert with_segment(without_chunks(view, lost), view.segments[:2], segment) is None


def test_of_two_segments_with_a_part_in_common_the_first_counts() -> None:
    view = without_chunks(in_three_parts(), "d")
    late, early = segment_of(view, 0, 2), segment_of(view, 1, 3)
    after = with_segment(view, view.segments[1:], early)
    assert after is not None
    assert [segment.live for segment in after.segments] == [2, 3]
    assert with_segment(after, view.segments[:2], late) is None
    assert contents(after) == contents(view)


def test_the_status_counts_what_there_is() -> None:
    status = index_status(empty())
    assert (status.segments, status.vectors, status.deleted) == (0, 0, 0)
    view = with_chunks(empty(), [embedded(chunk(id_)) for id_ in "abc"])
    status = index_status(without_chunks(view, ["a"]))
    assert (status.kind, status.state, status.segments) == ("auto", "ready", 1)
    assert (status.vectors, status.deleted) == (2, 1)
    assert status.memory_bytes >= 3 * 2 * 4
