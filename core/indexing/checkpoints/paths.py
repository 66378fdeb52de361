"""The places of checkpoints: a folder, with one file named by each position."""

from pathlib import Path
from typing import Final

DIRECTORY: Final = "checkpoints"
"""The checkpoints' folder, below the data directory."""
SUFFIX: Final = ".checkpoint"


def path_of(directory: Path, position: int) -> Path:
    return directory / f"{position:020}{SUFFIX}"


def paths_in(directory: Path) -> list[Path]:
    """Return the paths of all checkpoints, newest first."""
    return sorted(directory.glob(f"*{SUFFIX}"), reverse=True)


def newest_in(directory: Path) -> Path | None:
    """Return the path of the newest checkpoint, or `None` if there is none."""
    return next(iter(paths_in(directory)), None)


def oldest_position(directory: Path) -> int | None:
    """Return the position of the oldest checkpoint, from which the log is needed.

    It is `None` if there is no checkpoint.
    """
    positions = [path.stem for path in paths_in(directory) if path.stem.isdigit()]
    return int(positions[-1]) if positions else None
