"""Data sets as libraries of the core: catalog, views, segments and search service, without HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.datasets import Dataset, Floats
from core.domain.changes import Change, ChunksDeleted, ChunksPut, DocumentPut, LibraryPut
from core.domain.document import Chunk, Document, EmbeddedChunk
from core.domain.library import IndexSpec, Library, Metric
from core.indexing.maintenance.build_thread import BuildThread
from core.indexing.maintenance.segment_builder import SegmentBuilder
from core.indexing.views.catalog import Catalog
from core.services.search.service import SearchService

LIBRARY, DOCUMENT = "library", "document"
AT_ONCE = 1_000
_THEN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Filled:
    """A library in a catalog that follows writes, as the store would publish them."""

    catalog: Catalog
    builder: BuildThread
    search: SearchService
    position: int = 0

    def apply(self, *changes: Change) -> None:
        self.position += 1
        self.catalog.apply(self.position, changes)

    def put(self, first: int, rows: Floats) -> None:
        self.apply(ChunksPut(LIBRARY, [embedded(first + i, row) for i, row in enumerate(rows)]))

    def delete(self, numbers: NDArray[np.int64]) -> None:
        self.apply(ChunksDeleted(LIBRARY, [id_of(number) for number in numbers.tolist()]))

    def settle(self) -> None:
        self.builder.wait_until_idle(3_600)


@contextmanager
def library(
    metric: Metric, dimension: int, *, threads: int = 2, vectors_dir: Path | None = None
) -> Iterator[Filled]:
    catalog = Catalog()
    builder = BuildThread(catalog, SegmentBuilder(threads, vectors_dir))
    filled = Filled(catalog, builder, SearchService(catalog, {}, min_position_wait_s=1))
    builder.start()
    try:
        filled.apply(
            LibraryPut(_library(metric, dimension)),
            DocumentPut(Document(DOCUMENT, LIBRARY, None, None, {}, 1, _THEN, _THEN)),
        )
        yield filled
    finally:
        builder.close()


def fill(filled: Filled, dataset: Dataset) -> None:
    for start in range(0, len(dataset.rows), AT_ONCE):
        filled.put(start, dataset.rows[start : start + AT_ONCE])
    filled.settle()


def id_of(number: int) -> str:
    return f"{number:07}"


def embedded(number: int, row: Floats) -> EmbeddedChunk:
    chunk = Chunk(id_of(number), LIBRARY, DOCUMENT, number, "", {}, 1, _THEN, _THEN)
    return EmbeddedChunk(chunk, row)


def _library(metric: Metric, dimension: int) -> Library:
    return Library(
        id=LIBRARY,
        name=LIBRARY,
        description=None,
        metadata={},
        metadata_schema=None,
        dimension=dimension,
        metric=metric,
        index=IndexSpec(),
        embedding_model=None,
        version=1,
        created_at=_THEN,
        updated_at=_THEN,
    )
