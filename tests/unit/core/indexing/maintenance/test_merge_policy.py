"""The next job follows from the segments' sizes."""

from dataclasses import replace

import numpy as np
import pytest

from core.domain.library import IndexKind, IndexSpec, Metric
from core.indexing.maintenance.merge_policy import Job, Reason, next_job
from core.indexing.segment.rows import Rows
from core.indexing.segment.segment import Segment
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.reference import ReferenceIndex
from core.indexing.views.view import LibraryView
from tests.unit.core.builders import library

_FLAT = ReferenceIndex(Vectors(Metric.L2, np.empty((0, 2), np.float32), np.empty(0)))


def delta(live: int, dead: int = 0) -> Segment:
    segment = Segment.empty(Rows.empty(Metric.L2, dimension=2), 0)
    return replace(segment, size=live + dead, live=live)


def waiting(live: int) -> Segment:
    return replace(delta(live), frozen=True)


def segment(live: int, dead: int = 0, spec: IndexSpec | None = None) -> Segment:
    segment = delta(live, dead)
    return replace(segment, frozen=True, index=_FLAT, built_for=spec or IndexSpec())


def job(*segments: Segment, quiet: bool = False, spec: IndexSpec | None = None) -> Job | None:
    wanted = replace(library(), index=spec or IndexSpec())
    return next_job(LibraryView(wanted, segments), quiet=quiet)


def test_small_libraries_stay_a_delta() -> None:
    assert job() is None
    assert job(quiet=True) is None
    assert job(delta(1_999), quiet=True) is None
    assert job(delta(4_095)) is None


def test_a_delta_is_sealed_once_it_is_large_or_quiet() -> None:
    assert job(delta(4_096)) == Job(Reason.FLUSH, 0, 1)
    assert job(delta(3_000, dead=1_096)) == Job(Reason.FLUSH, 0, 1)
    assert job(delta(2_000), quiet=True) == Job(Reason.FORCE_MERGE, 0, 1)


def test_what_was_frozen_for_a_segment_that_failed_is_sealed_whatever_its_size() -> None:
    assert job(segment(90_000), waiting(3), delta(5)) == Job(Reason.FLUSH, 1, 2)
    assert job(segment(90_000), waiting(3), delta(4_096)) == Job(Reason.FLUSH, 1, 3)


@pytest.mark.parametrize(
    ("sizes", "start"),
    [
        ([8_192], 0),
        ([8_193], 1),
        ([20_000, 8_192], 0),
        ([24_577, 8_192], 1),
        ([24_576, 8_192], 0),
        ([1_000, 50_000, 5_000, 4_096], 2),
    ],
)
def test_segments_that_are_not_much_larger_are_merged(sizes: list[int], start: int) -> None:
    segments = [segment(size) for size in sizes]
    assert job(*segments, delta(4_096)) == Job(Reason.FLUSH, start, len(sizes) + 1)


def test_where_many_rows_wait_they_are_sealed_alone_unless_there_are_many_segments() -> None:
    assert job(segment(8_192), delta(16_384)) == Job(Reason.FLUSH, 1, 2)
    assert job(segment(8_192), delta(16_383)) == Job(Reason.FLUSH, 0, 2)
    many = [segment(8_192)] * 9
    assert job(*many, delta(16_384)) == Job(Reason.FLUSH, 0, 10)


def test_there_are_few_segments_and_each_row_is_built_a_few_times() -> None:
    sizes: list[int] = []
    built = 0
    for _ in range(1_000):
        due = job(*map(segment, sizes), delta(4_096))
        assert due is not None
        sizes = [*sizes[: due.start], 4_096 + sum(sizes[due.start :])]
        built += sizes[-1]
        assert len(sizes) <= 8
    assert built <= 12 * 1_000 * 4_096


def test_a_segment_is_compacted_once_too_much_is_dead() -> None:
    assert job(segment(8_000, dead=2_000)) is None
    assert job(segment(8_000, dead=2_001)) == Job(Reason.VACUUM, 0, 1)
    assert job(segment(1_000, dead=999)) is None
    assert job(segment(9_000), segment(100, dead=1_000), delta(9)) == Job(Reason.VACUUM, 1, 2)


def test_everything_is_rebuilt_when_another_index_is_asked_for() -> None:
    segments = [segment(50_000), segment(10_000), delta(3)]
    assert job(*segments, spec=IndexSpec(IndexKind.HNSW)) == Job(Reason.REINDEX, 0, 2)
    assert job(*segments, spec=IndexSpec(parameters={"m": 8})) == Job(Reason.REINDEX, 0, 2)
    assert job(*segments, spec=IndexSpec(parameters={"ef": 80, "nprobe": 3})) is None
    assert job(delta(9), spec=IndexSpec(IndexKind.FLAT)) is None


def test_a_quiet_library_becomes_one_segment_unless_little_is_won() -> None:
    assert job(segment(90_000), segment(10_000)) is None
    assert job(segment(90_000), segment(10_000), quiet=True) == Job(Reason.FORCE_MERGE, 0, 2)
    assert job(segment(99_001), segment(999), quiet=True) is None
    assert job(segment(99_000), segment(1_000), quiet=True) == Job(Reason.FORCE_MERGE, 0, 2)
    assert job(segment(990_001), segment(9_999), quiet=True) is None
    assert job(segment(9_000), delta(1_000), quiet=True) == Job(Reason.FORCE_MERGE, 0, 2)
    assert job(segment(90_000), quiet=True) is None
