"""Files that are being uploaded, in the data directory until they are complete."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol
from uuid import uuid4

from core.adapters import private
from core.domain.errors import StorageFull, StorageUnavailable, is_full
from core.indexing.container.durable import UNFINISHED


class Keeper(Protocol):
    """The store that keeps a complete file."""

    def check_room(self, size_bytes: int) -> None:
        """Check that a file of this size fits.

        Raises:
            StorageFull: the file does not fit.
        """
        ...

    def keep(self, unfinished: Path, sha256: str, size_bytes: int) -> None:
        """Keep a complete file under its hash; `unfinished` may be moved."""
        ...


class Incoming:
    """An `IncomingFile` in a directory."""

    def __init__(self, directory: Path, keeper: Keeper) -> None:
        self._path = directory / f"{uuid4().hex}{UNFINISHED}"
        self._keeper = keeper
        self._hash = hashlib.sha256()
        self._size_bytes = 0
        with disk_errors(directory):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            self._descriptor = os.open(self._path, flags, private.FILE_MODE)

    def __enter__(self) -> "Incoming":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.discard()

    def write(self, content: bytes) -> None:
        self._size_bytes += len(content)
        self._keeper.check_room(self._size_bytes)
        self._hash.update(content)
        with disk_errors(self._path.parent):
            view = memoryview(content)
            while view:
                view = view[os.write(self._descriptor, view) :]

    def keep(self) -> str:
        sha256 = self._hash.hexdigest()
        with disk_errors(self._path.parent):
            os.fsync(self._descriptor)
            self._keeper.keep(self._path, sha256, self._size_bytes)
        return sha256

    def discard(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._path.unlink(missing_ok=True)


def create_directory(directory: Path) -> None:
    """Create a directory for unfinished files.

    Raises:
        StorageError: the directory can't be used.
    """
    with disk_errors(directory):
        directory.mkdir(private.DIRECTORY_MODE, parents=True, exist_ok=True)


def delete_unfinished(directory: Path) -> None:
    """Delete the unfinished files that a crash left.

    Raises:
        StorageError: the directory can't be used.
    """
    with disk_errors(directory):
        for unfinished in directory.glob(f"*{UNFINISHED}"):
            unfinished.unlink(missing_ok=True)


def full(max_bytes: int) -> StorageFull:
    """Return the error that the uploads would take more than `max_bytes`."""
    return StorageFull(
        f"Uploads may take {max_bytes} bytes in all (NALANDA_MAX_UPLOAD_BYTES). "
        "Retry when running ingestions have ended."
    )


@contextmanager
def disk_errors(directory: Path) -> Iterator[None]:
    """Map the errors of the file system that the block raises.

    Raises:
        StorageError: the directory can't be used, or has no room.
    """
    try:
        yield
    except OSError as error:
        detail = f"{directory} can't be used: {error.strerror}"
        raise (StorageFull(detail) if is_full(error) else StorageUnavailable(detail)) from error
