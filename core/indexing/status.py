"""What a library's index is, and what it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.domain.library import IndexKind
from core.indexing.view import LibraryView


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """`kind` and `parameters` are what the library asks for; each kind is searched exactly.

    `deleted` counts the dead vectors that still take space. `memory_bytes` is that of the
    arrays, room for growth included, and not that of texts and metadata.
    """

    kind: IndexKind
    state: Literal["ready"]
    segments: int
    vectors: int
    deleted: int
    memory_bytes: int
    parameters: Mapping[str, float]


def index_status(view: LibraryView) -> IndexStatus:
    spec = view.library.index
    return IndexStatus(
        kind=spec.kind,
        state="ready",
        segments=1 if view.vectors else 0,
        vectors=view.vectors,
        deleted=view.deleted,
        memory_bytes=view.memory_bytes,
        parameters=spec.parameters,
    )
