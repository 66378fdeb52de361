"""The three files of a sealed segment: its rows, its vector index and its attribute index.

The files never change. The manifest records deleted rows and changed documents.
"""

from collections.abc import Mapping, Sequence, Set
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from immutables import Map
from numpy.typing import NDArray

from core.domain.document import Document
from core.domain.library import IndexKind, IndexSpec, Metric
from core.indexing.checkpoints.attribute_file import KIND as ATTRIBUTES
from core.indexing.checkpoints.attribute_file import open_attributes, write_attributes
from core.indexing.checkpoints.index_file import KIND as INDEX
from core.indexing.checkpoints.index_file import open_index, write_index
from core.indexing.columns.chunks import ChunkColumns
from core.indexing.columns.strings import StringColumn
from core.indexing.container.container import Container, DamagedFile, open_container
from core.indexing.container.writer import write_container
from core.indexing.segment.rows import Rows
from core.indexing.segment.segment import Segment
from core.indexing.vectors.exact import Vectors

KIND: Final = "rows"
_PACKED: Final = ("ids", "documents", "texts", "metadata", "places")
_COLUMNS: Final = tuple(
    field.name for field in fields(ChunkColumns) if field.name not in {*_PACKED, "library_id"}
)

_NOTHING: Final = np.empty(0, np.uint8)


@dataclass(frozen=True, slots=True)
class SegmentFiles:
    """File names within the checkpoints' directory, with the checksum of each file."""

    rows: str
    index: str
    attributes: str
    checksums: Mapping[str, int]

    @property
    def names(self) -> tuple[str, str, str]:
        return self.rows, self.index, self.attributes

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def write_rows(path: Path, segment: Segment) -> int:
    """Write a segment's rows durably, and return the file's checksum.

    Raises:
        OSError: no room, or no permission.
    """
    rows, chunks = segment.rows, segment.rows.chunks
    assert isinstance(chunks, ChunkColumns), "only segments are kept in files"
    assert segment.built_for is not None
    arrays: dict[str, NDArray[Any]] = {
        "matrix": rows.matrix,
        "norms": rows.norms,
        "exponents": rows.exponents,
        **{name: getattr(chunks, name) for name in _COLUMNS},
    }
    for name in _PACKED:
        packed: StringColumn = getattr(chunks, name)
        arrays |= {f"{name}.content": packed.content, f"{name}.ends": packed.offsets}
    if segment.row_ids is not None:
        arrays["serials"] = segment.row_ids
    spec = segment.built_for
    parameters = {
        "library_id": chunks.library_id,
        "metric": rows.metric,
        "first": segment.first,
        "built_for": {"kind": spec.kind, "parameters": dict(spec.parameters)},
    }
    return write_container(path, KIND, parameters, arrays)


def write_segment(directory: Path, name: str, segment: Segment) -> SegmentFiles:
    """Write a segment to three files whose names start with `name`.

    Raises:
        OSError: no room, or no permission.
    """
    assert segment.index is not None
    assert segment.attributes is not None
    rows, index, attributes = (f"{name}.{what}" for what in ("rows", "index", "attributes"))
    checksums = {
        rows: write_rows(directory / rows, segment),
        index: write_index(directory / index, segment.index),
        attributes: write_attributes(directory / attributes, segment.attributes),
    }
    return SegmentFiles(rows, index, attributes, checksums)


def open_segment(
    directory: Path,
    files: SegmentFiles,
    alive: NDArray[np.bool_],
    stale: Set[str],
    documents: Map[str, Document],
    pool: Executor,
) -> Segment:
    """Open a segment, verify every byte of its files, and mark the rows deleted since.

    `documents`: the current ones. `stale`: the ids of documents that changed since the attribute
    index was built.

    Raises:
        DamagedFile: a file is damaged, missing, or not the one that the manifest names.
        OSError: a file cannot be opened.
    """
    rows_file = open_container(directory / files.rows, KIND)
    _check(rows_file, files, pool)
    try:
        segment = _segment(rows_file, alive)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise DamagedFile(rows_file.path, f"It has no rows of a segment: {error}") from error
    vectors = Vectors(segment.rows.metric, segment.rows.matrix, segment.rows.norms)
    index, index_file = open_index(directory / files.index, vectors)
    chunks = segment.rows.chunks
    assert isinstance(chunks, ChunkColumns)
    known = _with_deleted(documents, chunks)
    attributes, attributes_file = open_attributes(directory / files.attributes, chunks, known)
    for file in (index_file, attributes_file):
        _check(file, files, pool)
    segment = replace(segment, index=index, attributes=attributes)
    return segment.with_documents(stale, documents)


def verify_segment(directory: Path, files: SegmentFiles, pool: Executor) -> None:
    """Verify every byte of a segment's files.

    Raises:
        DamagedFile: a file is damaged, missing, or not the one that the manifest names.
        OSError: a file cannot be opened.
    """
    kinds = {files.rows: KIND, files.index: INDEX, files.attributes: ATTRIBUTES}
    for name, kind in kinds.items():
        _check(open_container(directory / name, kind), files, pool)


def reopen_segment(
    segment: Segment, alive: NDArray[np.bool_], stale: Set[str], documents: Map[str, Document]
) -> Segment:
    """Return an open segment with the deletions and changes of another checkpoint of its files.

    `alive`, `stale`, `documents`: as for `open_segment`; `stale` has all changes since the files
    were written, so the segment's own can be forgotten.
    """
    live = int(np.count_nonzero(alive))
    return replace(segment, alive=alive, live=live, stale=frozenset()).with_documents(
        stale, documents
    )


def _check(container: Container, files: SegmentFiles, pool: Executor) -> None:
    if container.checksum != files.checksums.get(container.path.name):
        raise DamagedFile(container.path, "It is not the file that the checkpoint refers to.")
    container.verify(pool)


def _segment(container: Container, alive: NDArray[np.bool_]) -> Segment:
    """Restore a segment without its vector index and attribute index.

    Raises:
        ValueError, KeyError, TypeError, IndexError: the container has no rows of a segment.
    """
    arrays, parameters = container.arrays, container.parameters
    matrix, count = arrays["matrix"], len(arrays["matrix"])
    of_rows = [arrays["norms"], arrays["exponents"], arrays["ordinals"], alive]
    if matrix.ndim != 2 or matrix.dtype != np.float32 or any(len(a) != count for a in of_rows):
        raise ValueError("its arrays are of different lengths")
    columns: dict[str, Any] = {name: arrays[name] for name in _COLUMNS}
    if "places.ends" not in arrays:  # a file from before chunks had places
        arrays = {
            **arrays,
            "places.content": _NOTHING,
            "places.ends": np.zeros(count + 1, np.uint32),
        }
    for name in _PACKED:
        columns[name] = StringColumn(arrays[f"{name}.content"], arrays[f"{name}.ends"])
    spec = parameters["built_for"]
    rows = Rows(
        metric=Metric(parameters["metric"]),
        matrix=matrix,
        norms=arrays["norms"],
        exponents=arrays["exponents"],
        chunks=ChunkColumns(library_id=parameters["library_id"], **columns),
        mapped=True,
    )
    return Segment(
        rows=rows,
        size=count,
        first=parameters["first"],
        alive=alive,
        live=int(np.count_nonzero(alive)),
        row_ids=arrays.get("serials"),
        frozen=True,
        built_for=IndexSpec(IndexKind(spec["kind"]), spec["parameters"]),
    )


def _with_deleted(documents: Map[str, Document], chunks: ChunkColumns) -> Map[str, Document]:
    """Add placeholders for deleted documents that dead rows still refer to.

    No search returns a dead row, so the placeholders' content is never seen.
    """
    ids: Sequence[str] = [chunks.documents[i] for i in range(len(chunks.documents))]
    deletions = [id_ for id_ in ids if id_ not in documents]
    if not deletions:
        return documents
    then = chunks[0].created_at
    library_id = chunks.library_id
    return documents.update(
        (id_, Document(id_, library_id, None, None, {}, 0, then, then)) for id_ in deletions
    )
