"""What a library's index is, and what it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from core.domain.library import IndexKind
from core.indexing.maintenance.merge_policy import next_job
from core.indexing.views.view import LibraryView

IndexState: TypeAlias = Literal["ready", "building", "failed"]


@dataclass(frozen=True, slots=True)
class Recall:
    """`measured`: the mean share of the true k hits that were found, in so many `searches`.

    `worst_tenth`: the mean of the tenth of the searches, rounded up, that found the least.
    """

    measured: float
    worst_tenth: float
    searches: int


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """`kind` is what the library asks for; `parameters` as well, with those that were chosen
    for its largest segment where it asks for none.

    `building`: a segment is to be made; searches are answered meanwhile from what there is.
    `failed`: the last could not be made, and `error` says why. `segments` counts the segments that
    a search looks at. `deleted` counts the dead vectors that still take space. `memory_bytes`
    is that of the arrays, room for growth included, and not that of texts and metadata;
    `lexical_memory_bytes` what the index of words takes, 0 until the first search by words.
    `recall`: what approximate searches have found of late; `None` while none was measured.
    """

    kind: IndexKind
    state: IndexState
    error: str | None
    segments: int
    vectors: int
    deleted: int
    memory_bytes: int
    lexical_memory_bytes: int
    recall: Recall | None
    parameters: Mapping[str, float]


def index_status(
    view: LibraryView,
    *,
    error: str | None = None,
    lexical_memory_bytes: int = 0,
    recall: Recall | None = None,
) -> IndexStatus:
    spec = view.library.index
    indexes = [
        segment.index
        for segment in sorted(view.segments, key=lambda segment: segment.live)
        if segment.index
    ]
    return IndexStatus(
        kind=spec.kind,
        state=_state(view, error),
        error=error,
        segments=len(view.segments),
        vectors=view.vectors,
        deleted=view.deleted,
        memory_bytes=view.memory_bytes,
        lexical_memory_bytes=lexical_memory_bytes,
        recall=recall,
        parameters={**(indexes[-1].parameters if indexes else {}), **spec.parameters},
    )


def _state(view: LibraryView, error: str | None) -> IndexState:
    if error is not None:
        return "failed"
    return "ready" if next_job(view) is None else "building"
