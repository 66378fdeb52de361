"""Builds a sealed segment from the live rows of frozen segments, without locks or side effects."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.domain.document import Document
from core.domain.filters import Field
from core.domain.library import IndexSpec
from core.indexing.attributes import AttributeIndex
from core.indexing.columns.chunks import ChunkColumns
from core.indexing.segment.rows import Rows
from core.indexing.segment.segment import RowIds, Segment
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.search_activity import SearchActivity
from core.indexing.vectors.vector_index import VectorIndex

_ROWS_AT_ONCE = 2**12


class BuildIndex(Protocol):
    """The signature of a function that builds a vector index."""

    def __call__(
        self,
        vectors: Vectors,
        spec: IndexSpec,
        /,
        *,
        threads: int,
        is_cancelled: Callable[[], bool],
        activity: SearchActivity,
    ) -> VectorIndex: ...


def _build_index(
    vectors: Vectors,
    spec: IndexSpec,
    /,
    *,
    threads: int,
    is_cancelled: Callable[[], bool],
    activity: SearchActivity,
) -> VectorIndex:
    # Importing numba takes as long as the rest of a process's start.
    from core.indexing.maintenance.index_factory import build_index

    return build_index(vectors, spec, threads=threads, is_cancelled=is_cancelled, activity=activity)


@dataclass(frozen=True, slots=True)
class SegmentBuilder:
    """The settings of a build.

    `vectors_dir`: where vectors are in files, in memory if `None`. `activity`: the searches that a
    build yields to.
    """

    threads: int = 1
    vectors_dir: Path | None = None
    build_index: BuildIndex = _build_index
    activity: SearchActivity = field(default_factory=SearchActivity)

    def build(
        self,
        segments: Sequence[Segment],
        spec: IndexSpec,
        documents: Mapping[str, Document],
        is_cancelled: Callable[[], bool],
    ) -> Segment:
        """Build a segment from at least one live row, which is invalid if `is_cancelled` is true.

        Raises:
            BuildCancelled: `is_cancelled` returned true during the build.
            OSError: the disk has no room for the vectors' file.
        """
        live_rows = [np.flatnonzero(segment.alive) for segment in segments]
        rows = self._rows(segments, live_rows)
        row_ids = np.concatenate(
            [segment.row_ids_of(live) for segment, live in zip(segments, live_rows, strict=True)]
        )
        count, first = len(row_ids), int(row_ids[0])
        vectors = Vectors(rows.metric, rows.matrix, rows.norms)
        return Segment(
            rows=rows,
            size=count,
            first=first,
            alive=np.ones(count, np.bool_),
            live=count,
            row_ids=None if _have_no_gaps(row_ids) else row_ids,
            frozen=True,
            index=self.build_index(
                vectors,
                spec,
                threads=self.threads,
                is_cancelled=is_cancelled,
                activity=self.activity,
            ),
            built_for=spec,
            attributes=AttributeIndex.build(rows.chunks, documents, _indexed_fields(segments)),
        )

    def _rows(self, segments: Sequence[Segment], live_rows: Sequence[NDArray[np.intp]]) -> Rows:
        """Copy the live rows into read-only arrays of exact size."""
        rows = [segment.rows for segment in segments]
        pairs = list(zip(rows, live_rows, strict=True))
        shape = (sum(map(len, live_rows)), rows[0].dimension)
        blocks = _blocks(pairs)
        matrix = (
            _in_memory(blocks, shape)
            if self.vectors_dir is None
            else _in_file(blocks, shape, self.vectors_dir)
        )
        return Rows(
            metric=rows[0].metric,
            matrix=matrix,
            norms=np.concatenate([r.norms[live] for r, live in pairs]),
            exponents=np.concatenate([r.exponents[live] for r, live in pairs]),
            chunks=ChunkColumns.concatenate([_columns(r, live) for r, live in pairs if len(live)]),
            mapped=self.vectors_dir is not None,
        )


def _columns(rows: Rows, live: NDArray[np.intp]) -> ChunkColumns:
    chunks = rows.chunks
    if isinstance(chunks, list):
        return ChunkColumns.of([chunks[row] for row in live.tolist()])
    return chunks if len(live) == len(chunks) else chunks.take(live)


def _indexed_fields(segments: Sequence[Segment]) -> set[Field]:
    """Return the fields that filters and listings have used."""
    indexes = [segment.attributes for segment in segments if segment.attributes is not None]
    return {field for index in indexes for field in index.fields}


def _have_no_gaps(row_ids: RowIds) -> bool:
    return int(row_ids[-1]) - int(row_ids[0]) == len(row_ids) - 1


def _blocks(pairs: Sequence[tuple[Rows, NDArray[np.intp]]]) -> Iterator[NDArray[np.float32]]:
    """Yield the live rows in small blocks, so that vectors are never copied twice in memory."""
    for rows, live in pairs:
        for start in range(0, len(live), _ROWS_AT_ONCE):
            yield rows.matrix[live[start : start + _ROWS_AT_ONCE]]


def _in_memory(
    blocks: Iterator[NDArray[np.float32]], shape: tuple[int, int]
) -> NDArray[np.float32]:
    matrix = np.empty(shape, np.float32)
    end = 0
    for block in blocks:
        matrix[end : end + len(block)] = block
        end += len(block)
    matrix.flags.writeable = False
    return matrix


def _in_file(
    blocks: Iterator[NDArray[np.float32]], shape: tuple[int, int], directory: Path
) -> NDArray[np.float32]:
    """Write the rows to an unnamed file, and map it; its space is freed with the array.

    The rows are written before they are mapped, so that a full disk raises an error here and not a
    page fault later.
    """
    with TemporaryFile(dir=directory) as file:
        for block in blocks:
            file.write(block.data)
        file.flush()
        return np.asarray(np.memmap(file, np.float32, mode="r", shape=shape))
