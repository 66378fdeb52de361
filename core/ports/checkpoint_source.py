"""The port of a source of checkpoints: another node, or a folder that another node has filled."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol


class CheckpointSource(Protocol):
    """A source of the files of checkpoints; `str` of it names it in messages."""

    def newest(self) -> str | None:
        """Return the name of the newest checkpoint's file; `None` if there is no checkpoint.

        Raises:
            OSError: the source can't be read.
            NalandaError: the source refuses.
        """
        ...

    def open(self, name: str) -> AbstractContextManager[Iterator[bytes]]:
        """Open a file of a checkpoint, which yields its content piece by piece.

        Raises:
            FileNotFoundError: there is no such file, perhaps since a newer checkpoint.
            OSError: the file can't be read to its end.
            NalandaError: the source refuses.
        """
        ...
