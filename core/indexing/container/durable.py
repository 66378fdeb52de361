"""Files that are there whole or not at all, whenever the process or the machine stops."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from core import crash_points

T = TypeVar("T")

UNFINISHED = ".new"
"""Ends the name of a file that is still written to; one that a start finds may be removed."""


def write_durably(path: Path, write: Callable[[BinaryIO], T]) -> T:
    """On disk, name and content, once it returns what `write` did.

    A file that had the name is replaced, and stays as it is for those who have it mapped. One
    writer at a time for a path.

    Raises:
        OSError: no room, or no permission. What was there before is there still.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with unfinished.open("wb") as file:
            written = write(file)
            file.flush()
            crash_points.reach("file.written")
            os.fsync(file.fileno())
        crash_points.reach("file.synced")
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    crash_points.reach("file.renamed")
    sync(path.parent)
    return written


def sync(path: Path) -> None:
    """To the disk. A directory too: until then a crash may undo what names were made, changed or
    removed in it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
