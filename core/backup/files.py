"""Atomic and durable writes of files."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.domain.errors import StorageError, StorageFull, is_full
from core.indexing.container.durable import sync

PARTIAL = ".partial"
"""The suffix of a file that is being written."""

_CHUNK_BYTES = 1 << 20


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Map the `OSError`s that the block raises.

    Raises:
        StorageFull: the disk is full.
        StorageError: the file system reports another error.
    """
    try:
        yield
    except OSError as error:
        kind = StorageFull if is_full(error) else StorageError
        raise kind(f"{error.filename or path}: {error.strerror or error}") from error


def partial_of(path: Path) -> Path:
    return path.with_name(path.name + PARTIAL)


def publish(path: Path) -> None:
    """Rename the file written to `partial_of(path)` to `path`, durably; replace an older file."""
    partial = partial_of(path)
    sync(partial)
    partial.rename(path)
    sync(path.parent)


def write_whole(path: Path, text: str) -> None:
    partial_of(path).write_text(text)
    publish(path)


def digest(path: Path, on_bytes: Callable[[int], None] = lambda _: None) -> str:
    """Return the file's SHA-256 in hexadecimal; call `on_bytes` with each piece's size."""
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            sha256.update(piece)
            on_bytes(len(piece))
    return sha256.hexdigest()


def remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()
