"""Uploaded files, kept by the hash of their content until no ingestion refers to them.

`DIR/ab/abcd…` is a file whose content has the SHA-256 `abcd…`, and `DIR/references/ID` lists the
hashes that an ingestion refers to. A file is complete and on disk before it has its name, which
`refer` syncs.
"""

import hashlib
import os
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from uuid import uuid4

from core.adapters import private
from core.domain.errors import (
    NotFound,
    StorageError,
    StorageFull,
    StorageUnavailable,
    is_full,
)
from core.indexing.container.durable import UNFINISHED, sync, write_durably

DIRECTORY = "uploads"
UNREFERENCED_S = 3600.0
"""Age at which a file to which no ingestion refers is deleted; an upload may still be under way."""

_REFERENCES = "references"
_HEXADECIMAL = frozenset("0123456789abcdef")


class Uploads:
    """The uploaded files of a data directory, at most `max_bytes` in all."""

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        """Open the directory.

        Raises:
            StorageError: the directory can't be used.
        """
        self._directory = directory
        self._max_bytes = max_bytes
        self._lock = Lock()
        try:
            (directory / _REFERENCES).mkdir(private.DIRECTORY_MODE, parents=True, exist_ok=True)
            self._bytes = sum(path.stat().st_size for path in self._files())
        except OSError as error:
            raise _storage_error(directory, error) from error

    def delete_unfinished(self) -> None:
        """Delete what a crash left unfinished; call it before the first upload.

        Raises:
            StorageError: the directory can't be used.
        """
        try:
            for unfinished in self._directory.glob(f"*{UNFINISHED}"):
                unfinished.unlink(missing_ok=True)
        except OSError as error:
            raise _storage_error(self._directory, error) from error

    def begin(self) -> "Incoming":
        """Begin a file.

        Raises:
            StorageError: the file can't be created.
        """
        return Incoming(self, self._directory / f"{uuid4().hex}{UNFINISHED}")

    def put(self, content: bytes) -> str:
        """Keep the content, and return its hash.

        Raises:
            StorageError: there is no room, or the disk fails.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        if self._has(sha256):
            return sha256
        with self.begin() as incoming:
            incoming.write(content)
            return incoming.keep()

    def path(self, sha256: str) -> Path:
        """Return the path of a file.

        Raises:
            NotFound: there is no file with this hash.
        """
        path = self._path(sha256)
        if len(sha256) != 64 or not set(sha256) <= _HEXADECIMAL or not path.is_file():
            raise NotFound("upload", sha256)
        return path

    def read(self, sha256: str) -> bytes:
        """Return the content of a file.

        Raises:
            NotFound: there is no file with this hash.
        """
        try:
            return self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise NotFound("upload", sha256) from None

    def refer(self, ingestion: str, hashes: Iterable[str]) -> None:
        """Keep the files for an ingestion until `forget`, and sync their names to disk.

        Raises:
            StorageError: there is no room, or the disk fails.
        """
        names = list(hashes)
        content = "\n".join(names).encode()
        try:
            for folder in {self._path(name).parent for name in names}:
                sync(folder)
            sync(self._directory)
            write_durably(self._reference(ingestion), lambda file: file.write(content))
            private.restrict(self._reference(ingestion), private.FILE_MODE)
        except OSError as error:
            raise _storage_error(self._directory, error) from error

    def forget(self, ingestion: str) -> None:
        """Drop the references of an ingestion; `sweep` deletes the files."""
        self._reference(ingestion).unlink(missing_ok=True)

    def ingestions(self, older_than_s: float = UNREFERENCED_S) -> list[str]:
        """Return the ingestions whose references have this age."""
        return [path.name for path in self._references() if _age_s(path) >= older_than_s]

    def sweep(self, older_than_s: float = UNREFERENCED_S) -> int:
        """Delete old files to which no ingestion refers; return how many."""
        referred: set[str] = set()
        for path in self._references():
            with suppress(FileNotFoundError):
                referred.update(path.read_text().split())
        old = [p for p in self._files() if p.name not in referred and _age_s(p) >= older_than_s]
        return sum(self._delete(path, older_than_s) for path in old)

    def _has(self, sha256: str) -> bool:
        """Return whether there is a file with this hash, which is young again then."""
        with self._lock:
            try:
                return _renew(self._path(sha256))
            except OSError as error:
                raise _storage_error(self._directory, error) from error

    def _delete(self, path: Path, older_than_s: float) -> bool:
        with self._lock:
            if _age_s(path) < older_than_s:  # the same content has come again
                return False
            size_bytes = path.stat().st_size
            path.unlink()
            self._bytes -= size_bytes
            return True

    def keep(self, unfinished: Path, sha256: str, size_bytes: int) -> None:
        """Give a complete file its name, unless a file with the same content has it."""
        path = self._path(sha256)
        with self._lock:
            if _renew(path):
                unfinished.unlink()
                return
            path.parent.mkdir(private.DIRECTORY_MODE, exist_ok=True)
            unfinished.replace(path)
            self._bytes += size_bytes

    def check_room(self, size_bytes: int) -> None:
        """Check that a file of this size fits.

        Raises:
            StorageFull: they do not.
        """
        if self._bytes + size_bytes > self._max_bytes:
            raise StorageFull(
                f"Uploads may take {self._max_bytes} bytes in all (NALANDA_MAX_UPLOAD_BYTES). "
                "Retry when running ingestions have ended."
            )

    def _path(self, sha256: str) -> Path:
        return self._directory / sha256[:2] / sha256

    def _reference(self, ingestion: str) -> Path:
        return self._directory / _REFERENCES / ingestion

    def _references(self) -> Collection[Path]:
        folders = (self._directory / _REFERENCES).iterdir()
        return [path for path in folders if not path.name.endswith(UNFINISHED)]

    def _files(self) -> Collection[Path]:
        return list(self._directory.glob("[0-9a-f][0-9a-f]/*"))


class Incoming:
    """A file that is being uploaded; deleted at the end of the block unless it is kept."""

    def __init__(self, uploads: Uploads, path: Path) -> None:
        self._uploads = uploads
        self._path = path
        self._hash = hashlib.sha256()
        self.size_bytes = 0
        try:
            self._descriptor = os.open(
                path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private.FILE_MODE
            )
        except OSError as error:
            raise _storage_error(path.parent, error) from error

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
        """Append content.

        Raises:
            StorageError: there is no room, or the disk fails.
        """
        self.size_bytes += len(content)
        self._uploads.check_room(self.size_bytes)
        self._hash.update(content)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise _storage_error(self._path.parent, error) from error

    def keep(self) -> str:
        """Sync the file to disk, keep it under its hash, and return the hash.

        Raises:
            StorageError: the disk fails.
        """
        sha256 = self._hash.hexdigest()
        try:
            os.fsync(self._descriptor)
            self._uploads.keep(self._path, sha256, self.size_bytes)
        except OSError as error:
            raise _storage_error(self._path.parent, error) from error
        return sha256

    def discard(self) -> None:
        """Close the file, and delete it unless it was kept."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._path.unlink(missing_ok=True)


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


def _storage_error(path: Path, error: OSError) -> StorageError:
    detail = f"{path} can't be used: {error.strerror}"
    return StorageFull(detail) if is_full(error) else StorageUnavailable(detail)
