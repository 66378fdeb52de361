"""The port of the store of uploaded files, which are named by the hash of their content."""

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Protocol

UNREFERENCED_S = 3600.0
"""Age at which a file to which no ingestion refers is deleted; an upload may still be under way."""


class IncomingFile(Protocol):
    """A file that is being uploaded; deleted at the end of the block unless it is kept."""

    def __enter__(self) -> "IncomingFile": ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def write(self, content: bytes) -> None:
        """Append content.

        Raises:
            StorageError: there is no room, or the disk fails.
            Unavailable: the database can't be reached for now.
        """
        ...

    def keep(self) -> str:
        """Keep the file durably under the SHA-256 of its content, and return that.

        Raises:
            StorageError: the disk fails.
            Unavailable: the database can't be reached for now.
        """
        ...

    def discard(self) -> None:
        """Close the file, and delete it unless it was kept."""
        ...


class UploadStore(Protocol):
    """Uploaded files, bounded in all; each is complete and durable before its hash is known.

    Every method raises `StorageError` if the disk or the database fails, and `Unavailable` if the
    database can't be reached for now.
    """

    def delete_unfinished(self) -> None:
        """Delete what a crash left unfinished; call it before the first upload."""
        ...

    def begin(self) -> IncomingFile:
        """Begin a file."""
        ...

    def put(self, content: bytes) -> str:
        """Keep the content, and return its hash.

        Raises:
            StorageFull: there is no room.
        """
        ...

    def size_bytes(self, sha256: str) -> int:
        """Return the size of a file.

        Raises:
            NotFound: there is no file with this hash.
        """
        ...

    def read(self, sha256: str) -> Iterator[bytes]:
        """Yield the content of a file in pieces.

        Raises:
            NotFound: there is no file with this hash.
        """
        ...

    def refer(self, ingestion: str, hashes: Iterable[str]) -> None:
        """Keep the files for an ingestion until `forget`, durably."""
        ...

    def forget(self, ingestion: str) -> None:
        """Drop the references of an ingestion; `sweep` deletes the files."""
        ...

    def ingestions(self, older_than_s: float = UNREFERENCED_S) -> list[str]:
        """Return the ingestions whose references have this age."""
        ...

    def sweep(self, older_than_s: float = UNREFERENCED_S) -> int:
        """Delete old files to which no ingestion refers; return how many."""
        ...

    def close(self) -> None: ...
