"""What a start found in files. Here alone, as the rest imports the kernels, which take a second."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.domain.library import Library
from core.indexing.lexical.checkpointed import KeptWords
from core.indexing.views.view import LibraryView

if TYPE_CHECKING:
    from core.indexing.checkpoints.manifest import Manifest
    from core.indexing.checkpoints.writing import InFiles


DIRECTORY: Final = "checkpoints"
"""Below the data directory."""
SUFFIX: Final = ".checkpoint"


def path_of(directory: Path, position: int) -> Path:
    return directory / f"{position:020}{SUFFIX}"


def paths_in(directory: Path) -> list[Path]:
    """Of checkpoints, newest first."""
    return sorted(directory.glob(f"*{SUFFIX}"), reverse=True)


def oldest_position(directory: Path) -> int | None:
    """From which on the log is needed; `None` where there is no checkpoint."""
    positions = [path.stem for path in paths_in(directory) if path.stem.isdigit()]
    return int(positions[-1]) if positions else None


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that could not be used; it is in `damaged` now, if it is anywhere."""

    name: str
    problem: str


@dataclass(slots=True)
class Found:
    """`views`: of all libraries, but for those that are `missing`, whose files can't be used.
    `words`: the indexes of words that are of use, by library. `manifests`: the usable ones, newest
    first. `known`: the segments that are served from files."""

    views: list[LibraryView] = field(default_factory=list)
    missing: list[Library] = field(default_factory=list)
    words: dict[str, KeptWords] = field(default_factory=dict)
    manifests: list["Manifest"] = field(default_factory=list)
    known: list["InFiles"] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
