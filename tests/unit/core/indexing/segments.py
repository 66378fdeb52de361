"""Segments for tests, built at once and searched exactly."""

from collections.abc import Callable

from core.domain.library import IndexSpec
from core.indexing.maintenance.segment_builder import SegmentBuilder
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.reference import ReferenceIndex
from core.indexing.vectors.search_activity import SearchActivity
from core.indexing.vectors.vector_index import VectorIndex
from core.indexing.views.next_view import freeze_delta, with_segment
from core.indexing.views.view import LibraryView


def flat(
    vectors: Vectors,
    _spec: IndexSpec,
    *,
    threads: int,
    is_cancelled: Callable[[], bool],
    activity: SearchActivity,  # the signature of `BuildIndex`
) -> VectorIndex:
    assert threads >= 1
    assert is_cancelled() in {True, False}
    return ReferenceIndex(vectors)


SEGMENT_BUILDER = SegmentBuilder(build_index=flat)


def sealed(
    view: LibraryView, start: int = 0, segment_builder: SegmentBuilder = SEGMENT_BUILDER
) -> LibraryView:
    """Merge all segments from `start` on into one sealed segment."""
    view = freeze_delta(view)
    segments = view.segments[start:]
    segment = segment_builder.build(segments, view.library.index, view.documents, lambda: False)
    after = with_segment(view, segments, segment)
    assert after is not None
    return after


def row_ids(view: LibraryView) -> dict[str, int]:
    """Return all row ids by chunk id."""
    of_rows = view.row_ids(view.matching(None)).tolist()
    return {view.chunk(row_id).id: row_id for row_id in of_rows}
