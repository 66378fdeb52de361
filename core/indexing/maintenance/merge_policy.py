"""The merge policy: the next job for a library's segments, decided by their sizes alone.

As in a log-structured merge tree (O'Neil et al., 1996), each row is built into O(log n) segments in
its life, and a library has O(log n) segments at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.domain.library import IndexSpec
from core.indexing.segment.segment import Segment
from core.indexing.views.view import LibraryView

FLUSH_ROWS = 4_096
"""The size from which a delta is built into a segment; scanning a smaller one is fast."""

SMALL_ROWS = 2_000
"""The library size below which segments are not merged when writes pause."""

_BEHIND_ROWS = 4 * FLUSH_ROWS
_MOST_SEGMENTS = 8
"""The most segments that fast writes may leave unmerged."""

_VACUUM_ROWS = 1_000
_VACUUM_SHARE = 0.2
_MERGE_SHARE = 0.1
_MERGE_ROWS, _MERGE_LEAST_SHARE = 1_000, 0.01
_SEARCH_PARAMS = {"ef", "nprobe", "target_recall"}


class Reason(StrEnum):
    """The reason of a job.

    `REINDEX`: the library wants another index. `FLUSH`: the delta is large enough for an index.
    `VACUUM`: too many rows of a segment are dead. `FORCE_MERGE`: writes have paused.
    """

    REINDEX = "reindex"
    FLUSH = "flush"
    VACUUM = "vacuum"
    FORCE_MERGE = "force merge"


@dataclass(frozen=True, slots=True)
class Job:
    """The task to build one segment from `view.segments[start:stop]`."""

    reason: Reason
    start: int
    stop: int


def next_job(view: LibraryView, *, quiet: bool = False) -> Job | None:
    """Return the most urgent job, O(segments); `quiet`: no recent writes, so merge into one."""
    segments = view.segments
    if any(_is_stale(segment, view.library.index) for segment in segments):
        return Job(Reason.REINDEX, 0, _end(segments))
    return (
        _flush_job(segments)
        or _vacuum_job(segments)
        or (_force_merge_job(segments) if quiet else None)
    )


def differ(built: IndexSpec, wanted: IndexSpec) -> bool:
    """Return whether the specifications differ in more than search parameters."""
    return without_search_params(built) != without_search_params(wanted)


def without_search_params(spec: IndexSpec) -> IndexSpec:
    """Return the specification without search parameters, which a build does not depend on."""
    fixed = {name: v for name, v in spec.parameters.items() if name not in _SEARCH_PARAMS}
    return IndexSpec(spec.kind, fixed)


def _is_stale(segment: Segment, wanted: IndexSpec) -> bool:
    return segment.built_for is not None and differ(segment.built_for, wanted)


def _flush_job(segments: Sequence[Segment]) -> Job | None:
    """Return a job that indexes the rows without an index, merged with segments not much larger.

    If writes arrive faster than merges end, it takes those rows alone, as even more rows would wait
    after a long merge.
    """
    stop = _end(segments)
    start = _first(segments, lambda segment: segment.index is None)
    if start >= stop:
        return None
    rows = sum(segment.live for segment in segments[start:stop])
    behind = rows >= _BEHIND_ROWS and start <= _MOST_SEGMENTS
    while start and not behind and segments[start - 1].live <= 2 * rows:
        start -= 1
        rows += segments[start].live
    return Job(Reason.FLUSH, start, stop)


def _end(segments: Sequence[Segment]) -> int:
    """Return the segment count without a small delta.

    Freezing the delta too early would give one segment for each row while builds keep failing.
    """
    last = segments[-1] if segments else None
    return len(segments) - (last is not None and not last.frozen and last.size < FLUSH_ROWS)


def _vacuum_job(segments: Sequence[Segment]) -> Job | None:
    at = _first(segments, lambda segment: segment.frozen and _is_sparse(segment))
    return Job(Reason.VACUUM, at, at + 1) if at < len(segments) else None


def _is_sparse(segment: Segment) -> bool:
    return segment.deleted >= _VACUUM_ROWS and segment.deleted > _VACUUM_SHARE * segment.size


def _force_merge_job(segments: Sequence[Segment]) -> Job | None:
    """Return a job that merges all segments into one, which is faster to search than many.

    Too few rows outside the largest segment do not justify a merge.
    """
    rows = sum(segment.live for segment in segments)
    largest = max((segment.live for segment in segments if segment.index is not None), default=0)
    rest = rows - largest
    # A tenth of the rows, or enough that scanning them takes longer than walking the graph.
    is_much = rest >= max(1, _MERGE_SHARE * rows)
    is_slow = rest >= max(_MERGE_ROWS, _MERGE_LEAST_SHARE * rows)
    if rows < SMALL_ROWS or not (is_much or is_slow):
        return None
    return Job(Reason.FORCE_MERGE, 0, len(segments))


def _first(segments: Sequence[Segment], holds: Callable[[Segment], bool]) -> int:
    return next((i for i, segment in enumerate(segments) if holds(segment)), len(segments))
