"""What a checkpoint consists of: one file, by which its others are found."""

from collections.abc import Mapping, Sequence, Set
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.indexing.checkpoints.found import path_of
from core.indexing.checkpoints.segments import SegmentFiles
from core.indexing.files.container import DamagedFile, open_container
from core.indexing.files.writing import write_container
from core.indexing.packed import Packed

KIND: Final = "checkpoint"


@dataclass(frozen=True, slots=True, eq=False)
class KeptSegment:
    """`alive`: `(n,) bool`. `stale`: the ids of documents changed since the attributes' file."""

    files: SegmentFiles
    alive: NDArray[np.bool_]
    stale: Set[str]


@dataclass(frozen=True, slots=True, eq=False)
class KeptLibrary:
    """`created_at` tells it from one that had its id before. `unsealed`: the ids of chunks that
    are in no segment, and are read from the record."""

    id: str
    created_at: str
    next_serial: int
    segments: Sequence[KeptSegment]
    unsealed: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """`at`: when the log says that `position` was written, by which a record is recognised."""

    position: int
    at: str
    libraries: Mapping[str, KeptLibrary]

    @property
    def files(self) -> Set[str]:
        """The names of all that it refers to."""
        return {
            name
            for library in self.libraries.values()
            for segment in library.segments
            for name in segment.files.names
        }


def write_manifest(directory: Path, manifest: Manifest) -> Path:
    """Raises: OSError: no room, or no permission."""
    arrays: dict[str, NDArray[Any]] = {}
    libraries: list[dict[str, Any]] = []
    for library in manifest.libraries.values():
        number = len(libraries)
        unsealed = Packed.of(library.unsealed)
        arrays |= {f"{number}.content": unsealed.content, f"{number}.ends": unsealed.ends}
        segments: list[dict[str, Any]] = []
        for segment in library.segments:
            name = f"{number}.{len(segments)}"
            arrays[name] = np.packbits(segment.alive)
            segments.append(
                {
                    "files": segment.files.to_json(),
                    "rows": len(segment.alive),
                    "stale": sorted(segment.stale),
                }
            )
        libraries.append(
            {
                "id": library.id,
                "created_at": library.created_at,
                "next_serial": library.next_serial,
                "segments": segments,
            }
        )
    parameters = {"position": manifest.position, "at": manifest.at, "libraries": libraries}
    path = path_of(directory, manifest.position)
    write_container(path, KIND, parameters, arrays)
    return path


def read_manifest(path: Path, pool: Executor) -> Manifest:
    """
    Raises:
        DamagedFile: or none of this program's.
        OSError: it can't be opened.
    """
    container = open_container(path, KIND)
    container.verify(pool)
    try:
        parameters, arrays = container.parameters, container.arrays
        libraries = [
            _library(number, described, arrays)
            for number, described in enumerate(parameters["libraries"])
        ]
        return Manifest(
            parameters["position"],
            parameters["at"],
            {library.id: library for library in libraries},
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise DamagedFile(path, f"It is no checkpoint's: {error}") from error


def _library(
    number: int, described: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> KeptLibrary:
    unsealed = Packed(arrays[f"{number}.content"], arrays[f"{number}.ends"])
    return KeptLibrary(
        id=described["id"],
        created_at=described["created_at"],
        next_serial=described["next_serial"],
        segments=[
            KeptSegment(
                SegmentFiles(**segment["files"]),
                np.unpackbits(arrays[f"{number}.{i}"], count=segment["rows"]).view(np.bool_),
                frozenset(segment["stale"]),
            )
            for i, segment in enumerate(described["segments"])
        ],
        unsealed=[unsealed[i] for i in range(len(unsealed))],
    )
