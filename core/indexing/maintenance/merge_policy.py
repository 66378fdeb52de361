"""What there is to do for a library's segments: decided by their sizes alone.

As in a log-structured merge tree (O'Neil et al., 1996), each row is built into O(log n)
segments in its life, and there are O(log n) of them at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.domain.library import IndexSpec
from core.indexing.segment.segment import Segment
from core.indexing.views.view import LibraryView

SEAL_ROWS = 4_096
"""A delta of as many is built into a segment; a scan of fewer is fast."""

SMALL_ROWS = 2_000
"""Libraries below stay a delta."""

_BEHIND_ROWS = 4 * SEAL_ROWS
_MOST_SEGMENTS = 8
"""That a writer in haste leaves behind unmerged."""

_COMPACT_ROWS = 1_000
_COMPACT_SHARE = 0.2
_SETTLE_SHARE = 0.1
_SETTLE_ROWS, _SETTLE_LEAST_SHARE = 1_000, 0.01
_OF_A_SEARCH = {"ef", "nprobe", "target_recall"}


class Reason(StrEnum):
    REBUILD = "rebuild"
    SEAL = "seal"
    COMPACT = "compact"
    SETTLE = "settle"


@dataclass(frozen=True, slots=True)
class Job:
    """One segment is to be made of `view.segments[start:stop]`."""

    reason: Reason
    start: int
    stop: int


def next_job(view: LibraryView, *, quiet: bool = False) -> Job | None:
    """What is most urgent; `quiet`: nothing was written for a while.

    O(segments).
    """
    segments = view.segments
    if any(_is_stale(segment, view.library.index) for segment in segments):
        return Job(Reason.REBUILD, 0, _end(segments))
    return _seal(segments) or _compaction(segments) or (_settling(segments) if quiet else None)


def differ(built: IndexSpec, wanted: IndexSpec) -> bool:
    """In the kind, or in parameters that are more than those that a search may set."""
    return as_built(built) != as_built(wanted)


def as_built(spec: IndexSpec) -> IndexSpec:
    """Without what a search may set: that is no part of what is built."""
    fixed = {name: v for name, v in spec.parameters.items() if name not in _OF_A_SEARCH}
    return IndexSpec(spec.kind, fixed)


def _is_stale(segment: Segment, wanted: IndexSpec) -> bool:
    return segment.built_for is not None and differ(segment.built_for, wanted)


def _seal(segments: Sequence[Segment]) -> Job | None:
    """The rows that have no index, with the segments before them that are not much larger.

    Where writes come faster than merges end, the rows alone: a merge would take so long that
    still more are waiting after it.
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
    return Job(Reason.SEAL, start, stop)


def _end(segments: Sequence[Segment]) -> int:
    """Where a small delta is: if building fails over and over, it is not frozen row by row."""
    last = segments[-1] if segments else None
    return len(segments) - (last is not None and not last.frozen and last.size < SEAL_ROWS)


def _compaction(segments: Sequence[Segment]) -> Job | None:
    at = _first(segments, lambda segment: segment.frozen and _is_sparse(segment))
    return Job(Reason.COMPACT, at, at + 1) if at < len(segments) else None


def _is_sparse(segment: Segment) -> bool:
    return segment.deleted >= _COMPACT_ROWS and segment.deleted > _COMPACT_SHARE * segment.size


def _settling(segments: Sequence[Segment]) -> Job | None:
    """All into one, as one graph is faster than many; not for the sake of a few rows."""
    rows = sum(segment.live for segment in segments)
    largest = max((segment.live for segment in segments if segment.index is not None), default=0)
    rest = rows - largest
    # A tenth of few rows, or as many as a scan of them takes longer than a walk through all.
    is_much = rest >= max(1, _SETTLE_SHARE * rows)
    is_slow = rest >= max(_SETTLE_ROWS, _SETTLE_LEAST_SHARE * rows)
    if rows < SMALL_ROWS or not (is_much or is_slow):
        return None
    return Job(Reason.SETTLE, 0, len(segments))


def _first(segments: Sequence[Segment], holds: Callable[[Segment], bool]) -> int:
    return next((i for i, segment in enumerate(segments) if holds(segment)), len(segments))
