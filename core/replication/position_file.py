"""The position of the last acknowledged write, in memory that the processes of a machine share."""

import mmap
from pathlib import Path

NAME = "position"
"""The file's name, below the data directory."""

_BYTES = 8


class PositionFile:
    """A mapped file of one aligned 64-bit number, so that a read of it costs no system call.

    One process publishes positions, in order; any number of others read them.
    """

    def __init__(self, path: Path) -> None:
        """Map an existing file; an empty one is at position 0.

        Raises:
            OSError: the file is missing, no room, or no permission.
        """
        with path.open("r+b") as file:
            file.truncate(_BYTES)
            self._map = mmap.mmap(file.fileno(), _BYTES)
        self._view = memoryview(self._map).cast("Q")

    @property
    def position(self) -> int:
        return self._view[0]

    def publish(self, position: int) -> None:
        """Store a position; a process that reads it afterwards reads this one or a later one."""
        self._view[0] = position

    def close(self) -> None:
        self._view.release()
        self._map.close()
