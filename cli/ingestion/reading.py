"""Reading of a file as a document: only whole regular files, identified by their paths."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cli.ingestion.errors import UnusableFile
from cli.ingestion.places import id_of, mount_of

MAX_BYTES = 256 * 2**20
"""Limit of a file: above the default limit of a server, and small enough for memory."""
READING = "3"
"""How files are read and parsed: a release that reads them differently has another."""

HASH = "content_sha256"
"""Metadata key of a document for the hash that identifies an unchanged file."""

MOUNT = "mount"
"""Metadata key for the mount point of the file's disk, as a URI; absent for the root."""

_ATTEMPTS = 2
_OPENED = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_TYPES = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)


@dataclass(frozen=True, slots=True)
class Document:
    """A file as a document; `source` is its real path as a URI, from which `id` derives.

    `content_hash` is that of the content and of how releases read it; `mount` is the mount point of
    the file's disk.
    """

    id: str
    source: str
    content: bytes
    content_hash: str
    mount: Path

    def metadata(self) -> dict[str, str]:
        metadata = {HASH: self.content_hash}
        if self.mount != self.mount.parent:
            metadata[MOUNT] = self.mount.as_uri()
        return metadata


def read(path: Path) -> Document:
    """Read a file.

    Raises:
        OSError: the file can't be read.
        UnusableFile: the file is not regular, is too large, or keeps changing.
    """
    content = _read_content(path)
    real = Path(os.path.realpath(path))
    source = real.as_uri()
    return Document(
        id=id_of(source),
        source=source,
        content=content,
        content_hash=_hash(content),
        mount=mount_of(real.parent),
    )


def _hash(content: bytes) -> str:
    digest = hashlib.sha256(f"{READING}\n".encode())
    digest.update(content)
    return digest.hexdigest()


def special_type(mode: int) -> str | None:
    """Return the name of a special file's type, or `None` for a regular file."""
    if stat.S_ISREG(mode):
        return None
    return next((name for is_type, name in _TYPES if is_type(mode)), "of an unknown type")


def _read_content(path: Path) -> bytes:
    for _ in range(_ATTEMPTS):
        _check_regular(
            path.stat().st_mode
        )  # check before opening: opening a device may have effects
        descriptor = os.open(path, _OPENED)
        with os.fdopen(descriptor, "rb") as file:
            before = os.fstat(descriptor)
            _check_regular(before.st_mode)  # check again: the path may lead to another file by now
            content = _read_within_limit(file)
            if _version(os.fstat(descriptor)) == _version(before):
                return content
    raise UnusableFile("changed while it was read; run the same command again")


def _check_regular(mode: int) -> None:
    if (name := special_type(mode)) is not None:
        raise UnusableFile(f"is {name}, and only regular files are read")


def _read_within_limit(file: BinaryIO) -> bytes:
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise UnusableFile(f"is larger than {MAX_BYTES >> 20} MiB; split it")
    return content


def _version(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns
