"""The file of a sealed segment's vector index, which is searched while mapped.

Vectors are not in the file: they belong to the segment, and are passed in.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from core.indexing.checkpoints.quantized_arrays import (
    Arrays,
    arrays_of,
    numbers_of,
    restore_quantized,
)
from core.indexing.container.container import Container, DamagedFile, open_container
from core.indexing.container.writer import write_container
from core.indexing.hnsw.index import HnswIndex
from core.indexing.ivf.index import IvfIndex
from core.indexing.ivf.tuning import Tuning
from core.indexing.vectors.calibration import Calibration
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.flat import FlatIndex
from core.indexing.vectors.reference import ReferenceIndex
from core.indexing.vectors.vector_index import VectorIndex

KIND: Final = "index"


def write_index(path: Path, index: VectorIndex) -> int:
    """Write an index durably, and return the file's checksum.

    Raises:
        OSError: no room, or no permission.
    """
    parameters, arrays = to_arrays(index)
    return write_container(path, KIND, parameters, arrays)


def open_index(path: Path, vectors: Vectors) -> tuple[VectorIndex, Container]:
    """Open an index and its file, whose arrays are not verified yet.

    Raises:
        DamagedFile: the file is damaged, or belongs to other vectors.
        OSError: the file cannot be opened.
    """
    container = open_container(path, KIND)
    try:
        return from_arrays(vectors, container.parameters, container.arrays), container
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFile(path, f"It has no index of these vectors: {error}") from error


def to_arrays(index: VectorIndex) -> tuple[dict[str, Any], Arrays]:
    """Split an index into JSON parameters and arrays."""
    match index:
        case ReferenceIndex():
            return {"index": "reference"}, {}
        case FlatIndex():
            own: dict[str, Any] = {"index": "flat"}
        case HnswIndex():
            calibration = index.calibration
            own = {
                "index": "hnsw",
                "ef_construction": index.ef_construction,
                "efforts": calibration.efs,
                "recalls": calibration.recalls,
            }
        case IvfIndex():
            tuning = index.tuning
            own = {
                "index": "ivf",
                "probes": tuning.probes,
                "recalls": tuning.recalls,
                "cell_rows": tuning.cell_rows,
            }
        case _:
            raise TypeError(f"No file can hold a {type(index).__name__}.")
    return own | {"numbers": numbers_of(index.quantized)}, arrays_of(index.quantized)


def from_arrays(vectors: Vectors, parameters: Mapping[str, Any], arrays: Arrays) -> VectorIndex:
    """Restore an index with the same results; `arrays`, aligned to cache lines, are referred to.

    Raises:
        ValueError, KeyError, TypeError: not a result of `to_arrays` for these vectors.
    """
    kind = parameters["index"]
    if kind == "reference":
        return ReferenceIndex(vectors)
    quantized = restore_quantized(vectors, parameters["numbers"], arrays)
    match kind:
        case "flat":
            return FlatIndex(quantized)
        case "hnsw":
            calibration = Calibration(tuple(parameters["efforts"]), tuple(parameters["recalls"]))
            return HnswIndex(quantized, calibration, parameters["ef_construction"])
        case "ivf":
            recalls = tuple(map(tuple, parameters["recalls"]))
            tuning = Tuning(tuple(parameters["probes"]), recalls, parameters["cell_rows"])
            return IvfIndex(quantized, tuning)
    raise ValueError(f"there is no kind of index {kind!r}")
