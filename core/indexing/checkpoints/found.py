"""The result of loading a checkpoint, and the paths of checkpoints.

It is a module of its own, as the other modules import the kernels, which takes a second.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.domain.library import Library
from core.indexing.lexical.checkpointed import StoredLexicalIndex
from core.indexing.views.view import LibraryView

if TYPE_CHECKING:
    from core.indexing.checkpoints.manifest import Manifest
    from core.indexing.checkpoints.writing import StoredSegment


DIRECTORY: Final = "checkpoints"
"""The checkpoints' folder, below the data directory."""
SUFFIX: Final = ".checkpoint"


def path_of(directory: Path, position: int) -> Path:
    return directory / f"{position:020}{SUFFIX}"


def paths_in(directory: Path) -> list[Path]:
    """Return the paths of all checkpoints, newest first."""
    return sorted(directory.glob(f"*{SUFFIX}"), reverse=True)


def oldest_position(directory: Path) -> int | None:
    """Return the position of the oldest checkpoint, from which the log is needed.

    It is `None` if there is no checkpoint.
    """
    positions = [path.stem for path in paths_in(directory) if path.stem.isdigit()]
    return int(positions[-1]) if positions else None


@dataclass(frozen=True, slots=True)
class SetAsideFile:
    """A file that could not be used, moved to the folder `damaged` if it exists."""

    name: str
    problem: str


@dataclass(slots=True)
class LoadedCheckpoint:
    """The usable content of the newest checkpoint.

    `views`: those of all libraries, except the `missing` ones, whose files cannot be used. `words`:
    the usable lexical indexes, by library. `manifests`: the usable manifests, newest first.
    `known`: the segments that are served from files.
    """

    views: list[LibraryView] = field(default_factory=list)
    missing: list[Library] = field(default_factory=list)
    words: dict[str, StoredLexicalIndex] = field(default_factory=dict)
    manifests: list["Manifest"] = field(default_factory=list)
    known: list["StoredSegment"] = field(default_factory=list)
    set_aside: list[SetAsideFile] = field(default_factory=list)
