"""The status of a library's index, and the memory that it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from core.domain.library import IndexKind
from core.indexing.maintenance.merge_policy import next_job
from core.indexing.views.view import LibraryView

IndexState: TypeAlias = Literal["ready", "building", "failed"]


@dataclass(frozen=True, slots=True)
class Recall:
    """The measured recall of approximate searches.

    `measured`: the mean share of the true k hits that were found, over `searches` searches.
    `worst_tenth`: the mean over the tenth of the searches, rounded up, with the lowest recall.
    """

    measured: float
    worst_tenth: float
    searches: int


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """The state of a library's index.

    `kind` is the library's setting. `parameters`: the library's settings, and the values chosen for
    its largest segment where it has none. `state`: `building` if a segment is to be built, while
    searches use the current segments; `failed` if the last build failed, with the reason in
    `error`. `segments`: the number of segments that a search visits. `deleted`: the number of dead
    vectors that still occupy space. `memory_bytes`: the arrays, with room for growth, without texts
    and metadata. `lexical_memory_bytes`: the lexical index, 0 until the first lexical search.
    `recall`: the recall of recent approximate searches; `None` if none was measured.
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
