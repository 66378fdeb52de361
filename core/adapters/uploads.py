"""Uploaded files in the data directory, by the hash of their content.

`DIR/ab/abcd…` is a file whose content has the SHA-256 `abcd…`, and `DIR/references/ID` lists the
hashes that an ingestion refers to. A file is complete and on disk before it has its name, which
`refer` syncs.
"""

import hashlib
import os
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock

from core.adapters import private
from core.adapters.incoming import (
    Incoming,
    create_directory,
    delete_unfinished,
    disk_errors,
    full,
)
from core.domain.errors import NotFound
from core.indexing.container.durable import UNFINISHED, sync, write_durably
from core.ports.uploads import UNREFERENCED_S

DIRECTORY = "uploads"
PIECE_BYTES = 1 << 20

_REFERENCES = "references"
_HEXADECIMAL = frozenset("0123456789abcdef")


class FolderUploads:
    """An `UploadStore` in a directory, for the processes of one machine."""

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        """Open the directory.

        Raises:
            StorageError: the directory can't be used.
        """
        self._directory = directory
        self._max_bytes = max_bytes
        self._lock = Lock()
        create_directory(directory)
        create_directory(directory / _REFERENCES)
        with disk_errors(directory):
            self._bytes = sum(path.stat().st_size for path in self._files())

    def delete_unfinished(self) -> None:
        delete_unfinished(self._directory)

    def begin(self) -> Incoming:
        return Incoming(self._directory, self)

    def put(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        if self._has(sha256):
            return sha256
        with self.begin() as incoming:
            incoming.write(content)
            return incoming.keep()

    def size_bytes(self, sha256: str) -> int:
        with disk_errors(self._directory):
            return self.path(sha256).stat().st_size

    def read(self, sha256: str) -> Iterator[bytes]:
        with disk_errors(self._directory), self.path(sha256).open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece

    def path(self, sha256: str) -> Path:
        """Return the path of a file.

        Raises:
            NotFound: there is no file with this hash.
        """
        path = self._path(sha256)
        if not is_sha256(sha256) or not path.is_file():
            raise NotFound("upload", sha256)
        return path

    def refer(self, ingestion: str, hashes: Iterable[str]) -> None:
        names = list(hashes)
        content = "\n".join(names).encode()
        with disk_errors(self._directory):
            for folder in {self._path(name).parent for name in names}:
                sync(folder)
            sync(self._directory)
            write_durably(self._reference(ingestion), lambda file: file.write(content))
            private.restrict(self._reference(ingestion), private.FILE_MODE)

    def forget(self, ingestion: str) -> None:
        with disk_errors(self._directory):
            self._reference(ingestion).unlink(missing_ok=True)

    def ingestions(self, older_than_s: float = UNREFERENCED_S) -> list[str]:
        with disk_errors(self._directory):
            return [path.name for path in self._references() if _age_s(path) >= older_than_s]

    def sweep(self, older_than_s: float = UNREFERENCED_S) -> int:
        referred: set[str] = set()
        with disk_errors(self._directory):
            for path in self._references():
                with suppress(FileNotFoundError):
                    referred.update(path.read_text().split())
            old = [p for p in self._files() if p.name not in referred and _age_s(p) >= older_than_s]
            return sum(self._delete(path, older_than_s) for path in old)

    def close(self) -> None:
        pass

    def keep(self, unfinished: Path, sha256: str, size_bytes: int) -> None:
        """Give a complete file its name, unless a file with the same content has it."""
        path = self._path(sha256)
        with self._lock:
            if _renew(path):
                return
            path.parent.mkdir(private.DIRECTORY_MODE, exist_ok=True)
            unfinished.replace(path)
            self._bytes += size_bytes

    def check_room(self, size_bytes: int) -> None:
        if self._bytes + size_bytes > self._max_bytes:
            raise full(self._max_bytes)

    def _has(self, sha256: str) -> bool:
        """Return whether there is a file with this hash, which is young again then."""
        with self._lock, disk_errors(self._directory):
            return _renew(self._path(sha256))

    def _delete(self, path: Path, older_than_s: float) -> bool:
        with self._lock:
            if _age_s(path) < older_than_s:  # the same content has come again
                return False
            size_bytes = path.stat().st_size
            path.unlink()
            self._bytes -= size_bytes
            return True

    def _path(self, sha256: str) -> Path:
        return self._directory / sha256[:2] / sha256

    def _reference(self, ingestion: str) -> Path:
        return self._directory / _REFERENCES / ingestion

    def _references(self) -> Collection[Path]:
        folders = (self._directory / _REFERENCES).iterdir()
        return [path for path in folders if not path.name.endswith(UNFINISHED)]

    def _files(self) -> Collection[Path]:
        return list(self._directory.glob("[0-9a-f][0-9a-f]/*"))


def is_sha256(name: str) -> bool:
    """Return whether a name is 64 hexadecimal digits in lower case."""
    return len(name) == 64 and set(name) <= _HEXADECIMAL


def _renew(path: Path) -> bool:
    """Return whether there is such a file, which is young again then."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
