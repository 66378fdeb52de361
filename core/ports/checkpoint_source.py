"""The ports of a source of checkpoints, such as another node, and of a store that is written to."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
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


class CheckpointStore(CheckpointSource, Protocol):
    """A source that the leader fills; each method raises `OSError` if the store refuses."""

    def entries(self) -> Mapping[str, datetime]:
        """Return when each file was written, by its name and by the store's clock."""
        ...

    def put(self, name: str, path: Path) -> None:
        """Write a file, which appears whole or not at all.

        Raises:
            FileNotFoundError: there is no file at `path`.
        """
        ...

    def delete(self, names: Iterable[str]) -> None: ...
