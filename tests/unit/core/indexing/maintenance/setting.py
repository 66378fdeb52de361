"""A catalog with a library, and a build thread whose clock stands still."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.domain.changes import ChunksDeleted, ChunksPut, DocumentPut, LibraryPut
from core.domain.document import EmbeddedChunk
from core.domain.library import IndexSpec
from core.indexing.maintenance.build_thread import BuildThread
from core.indexing.maintenance.index_status import index_status
from core.indexing.maintenance.segment_builder import SegmentBuilder
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.reference import ReferenceIndex
from core.indexing.vectors.search_activity import SearchActivity
from core.indexing.vectors.vector_index import VectorIndex
from core.indexing.views.catalog import Catalog
from core.indexing.views.view import LibraryView
from tests.unit.core.builders import chunk, document, embedded, library

PATIENCE_S = 30


class Setting:
    """A catalog with a library, and a build thread whose clock stands still.

    Each build calls `meanwhile` with a function that returns whether the build is cancelled.
    """

    def __init__(self, vectors_dir: Path | None = None) -> None:
        self.catalog = Catalog()
        self.now = 0.0
        self.built: list[int] = []
        self.meanwhile: Callable[[Callable[[], bool]], None] = lambda _: None
        segment_builder = SegmentBuilder(
            threads=1, vectors_dir=vectors_dir, build_index=self._build
        )
        self.builder = BuildThread(self.catalog, segment_builder, quiet_s=5, clock=lambda: self.now)
        self.write(LibraryPut(library()), DocumentPut(document()))

    def _build(
        self,
        vectors: Vectors,
        _spec: IndexSpec,
        *,
        threads: int,
        is_cancelled: Callable[[], bool],
        activity: SearchActivity,  # the signature of `BuildIndex`
    ) -> VectorIndex:
        assert threads == 1
        self.built.append(len(vectors.matrix))
        self.meanwhile(is_cancelled)
        return ReferenceIndex(vectors)

    def write(self, *changes: ChunksPut | ChunksDeleted | DocumentPut | LibraryPut) -> None:
        self.catalog.apply(self.catalog.position + 1, changes)

    def put(self, start: int, stop: int) -> None:
        self.write(ChunksPut("L", rows(start, stop)))

    @property
    def view(self) -> LibraryView:
        return self.catalog.library("L")

    @property
    def sizes(self) -> list[tuple[int, bool]]:
        """Return each segment's number of live rows, and whether it has an index."""
        return [(segment.live, segment.index is not None) for segment in self.view.segments]

    def state(self) -> str:
        return index_status(self.view, error=self.builder.error("L")).state


def rows(start: int, stop: int) -> list[EmbeddedChunk]:
    return [embedded(chunk(f"c{i:03}"), (i, 1)) for i in range(start, stop)]


def nearest(view: LibraryView, place: float, k: int = 1) -> list[str]:
    [ranking] = view.search(np.array([[place, 1]], np.float32), k)
    return [view.chunk(row_id).id for row_id in ranking.row_ids.tolist()]


def settle(setting: Setting) -> None:
    setting.builder.wait_until_idle(PATIENCE_S)
