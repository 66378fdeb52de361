"""The manifest of a checkpoint: one file that names all other files."""

from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.domain.log_hash import GENESIS
from core.indexing.checkpoints.paths import path_of
from core.indexing.checkpoints.segments import SegmentFiles, verify_segment
from core.indexing.columns.strings import StringColumn
from core.indexing.container.container import DamagedFile, open_container
from core.indexing.container.writer import write_container
from core.indexing.lexical.checkpointed import StoredFile, StoredLexicalIndex, verify

KIND: Final = "checkpoint"


@dataclass(frozen=True, slots=True, eq=False)
class SegmentEntry:
    """A segment in a checkpoint.

    `alive`: `(n,) bool`. `stale`: the ids of documents changed since the attribute file was
    written.
    """

    files: SegmentFiles
    alive: NDArray[np.bool_]
    stale: Set[str]


@dataclass(frozen=True, slots=True, eq=False)
class LibraryEntry:
    """A library in a checkpoint.

    `created_at` distinguishes the library from an earlier one with the same id. `unsealed`: the ids
    of chunks in no sealed segment, which a start reads from the record. `lexical`: the lexical
    index, if it is in files; it may lack some chunks, and contain some deleted ones.
    """

    id: str
    created_at: str
    next_row_id: int
    segments: Sequence[SegmentEntry]
    unsealed: Sequence[str]
    lexical: StoredLexicalIndex | None = None

    @property
    def files(self) -> Set[str]:
        """The names of all files that the library refers to."""
        lexical = () if self.lexical is None else self.lexical.files.values()
        return {
            *(name for segment in self.segments for name in segment.files.names),
            *(file.name for file in lexical),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """A checkpoint's content; time and hash of the log at `position` identify the record."""

    position: int
    at: str
    libraries: Mapping[str, LibraryEntry]
    log_hash: bytes = GENESIS

    @property
    def files(self) -> Set[str]:
        """The names of all files that the manifest refers to."""
        return {name for library in self.libraries.values() for name in library.files}

    def only(self, holds: Callable[[str], bool]) -> "Manifest":
        """Return the same checkpoint with some of its libraries, by their ids."""
        return replace(
            self, libraries={id_: each for id_, each in self.libraries.items() if holds(id_)}
        )


def write_manifest(directory: Path, manifest: Manifest) -> Path:
    """Write a manifest durably, and return its path.

    Raises:
        OSError: no room, or no permission.
    """
    arrays: dict[str, NDArray[Any]] = {}
    libraries: list[dict[str, Any]] = []
    for library in manifest.libraries.values():
        number = len(libraries)
        unsealed = StringColumn.of(library.unsealed)
        arrays |= {f"{number}.content": unsealed.content, f"{number}.ends": unsealed.offsets}
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
        lexical = library.lexical
        if lexical is not None:
            arrays[f"{number}.serials"] = _runs(lexical.row_ids)
        libraries.append(
            {
                "id": library.id,
                "created_at": library.created_at,
                "next_serial": library.next_row_id,
                "segments": segments,
                "words": None if lexical is None else _lexical_to_json(lexical),
            }
        )
    parameters = {
        "position": manifest.position,
        "at": manifest.at,
        "log_hash": manifest.log_hash.hex(),
        "libraries": libraries,
    }
    path = path_of(directory, manifest.position)
    write_container(path, KIND, parameters, arrays)
    return path


def read_manifest(path: Path, pool: Executor) -> Manifest:
    """Read and verify a manifest.

    Raises:
        DamagedFile: the file is damaged, or not a manifest of this program.
        OSError: the file cannot be opened.
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
            bytes.fromhex(parameters["log_hash"]) if "log_hash" in parameters else GENESIS,
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise DamagedFile(path, f"It is not a checkpoint's manifest: {error}") from error


def verify_files(directory: Path, manifest: Manifest, pool: Executor) -> None:
    """Verify every byte of the files that a manifest refers to; no thread of `pool` may call it.

    Raises:
        DamagedFile: a file is damaged, missing, or not the one that the manifest names.
        OSError: a file cannot be opened.
    """
    for library in manifest.libraries.values():
        for segment in library.segments:
            verify_segment(directory, segment.files, pool)
        if library.lexical is not None:
            verify(directory, library.lexical, pool)


def _library(
    number: int, described: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> LibraryEntry:
    unsealed = StringColumn(arrays[f"{number}.content"], arrays[f"{number}.ends"])
    return LibraryEntry(
        id=described["id"],
        created_at=described["created_at"],
        next_row_id=described["next_serial"],
        segments=[
            SegmentEntry(
                SegmentFiles(**segment["files"]),
                np.unpackbits(arrays[f"{number}.{i}"], count=segment["rows"]).view(np.bool_),
                frozenset(segment["stale"]),
            )
            for i, segment in enumerate(described["segments"])
        ],
        unsealed=[unsealed[i] for i in range(len(unsealed))],
        lexical=_lexical(described.get("words"), arrays.get(f"{number}.serials")),
    )


def _lexical_to_json(lexical: StoredLexicalIndex) -> dict[str, Any]:
    files = {name: asdict(file) for name, file in lexical.files.items()}
    return {"made_for": lexical.fingerprint, "meta": lexical.meta, "files": files}


def _lexical(
    described: Mapping[str, Any] | None, runs: NDArray[np.int64] | None
) -> StoredLexicalIndex | None:
    if described is None or runs is None:
        return None
    files = {name: StoredFile(**file) for name, file in described["files"].items()}
    return StoredLexicalIndex(
        tuple(described["made_for"]), described["meta"], files, _of_runs(runs)
    )


def _runs(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Encode ascending numbers `(n,)` as runs `(r, 2)`: the first number and the length of each."""
    starts = np.flatnonzero(np.diff(numbers, prepend=-2) != 1)
    return np.stack([numbers[starts], np.diff(starts, append=len(numbers))], axis=1)


def _of_runs(runs: NDArray[np.int64]) -> NDArray[np.int64]:
    firsts, lengths = runs.T
    rows = np.cumsum(lengths) - lengths
    numbers: NDArray[np.int64] = np.repeat(firsts - rows, lengths)
    return numbers + np.arange(len(numbers))
