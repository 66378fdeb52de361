"""Checkpoints in an object store: S3 and what speaks like it, Google's, Azure's, or a folder.

The environment has the credentials, under the names that the stores' own tools use.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.domain.errors import StorageError
from core.indexing.checkpoints.paths import SUFFIX

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_URL = re.compile(r"(s3|gs|az)://[^/]|file:///.")
_PIECE_BYTES = 2**20
_OPTIONS: dict[str, Any] = {
    "client_options": {
        "allow_http": True,  # where the environment names such an endpoint
        "connect_timeout": "5 seconds",
        "timeout": "10 minutes",  # of a whole file
    },
    "retry_config": {"max_retries": 5, "retry_timeout": timedelta(seconds=60)},
}


class CheckpointBucket:
    """The checkpoints of one database below a URL; those of others have other folders there."""

    def __init__(self, url: str, instance_id: str) -> None:
        """Check the URL, and call nothing.

        Raises:
            StorageError: the URL is not that of an object store, or the package is missing.
        """
        self._url = f"{url.rstrip('/')}/{instance_id}"
        self._store = _open(url, self._url)

    def __str__(self) -> str:
        return self._url

    def newest(self) -> str | None:
        names = [name for name in self.entries() if name.endswith(SUFFIX)]
        return max(names, default=None)

    @contextmanager
    def open(self, name: str) -> Iterator[Iterator[bytes]]:
        import obstore

        with _store_errors(self._url):
            yield iter(obstore.get(self._store, name).stream(min_chunk_size=_PIECE_BYTES))

    def entries(self) -> Mapping[str, datetime]:
        import obstore

        with _store_errors(self._url):
            return {
                entry["path"]: entry["last_modified"]
                for page in obstore.list(self._store)
                for entry in page
            }

    def put(self, name: str, path: Path) -> None:
        import obstore

        with _store_errors(self._url), path.open("rb") as file:
            obstore.put(self._store, name, file)

    def delete(self, names: Iterable[str]) -> None:
        import obstore

        with _store_errors(self._url):
            obstore.delete(self._store, list(names))


def _open(setting: str, url: str) -> "ObjectStore":
    """Open the store at `url`, which is below that of the setting."""
    if not _URL.match(setting):
        raise StorageError(
            f"NALANDA_CHECKPOINT_STORE {setting!r} is not the URL of an object store: write "
            "s3://BUCKET, gs://BUCKET, az://CONTAINER or file:///FOLDER."
        )
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError as error:
        raise StorageError(
            "NALANDA_CHECKPOINT_STORE needs an extra package: pip install 'nalanda[object-store]'."
        ) from error
    try:
        if url.startswith("file://"):
            return from_url(url, mkdir=True)
        return from_url(url, **_OPTIONS)
    except (BaseError, ValueError) as error:
        raise StorageError(
            f"NALANDA_CHECKPOINT_STORE {setting!r} can't be used: {_first_line(error)}"
        ) from error


@contextmanager
def _store_errors(url: str) -> Iterator[None]:
    """Map the store's errors; one of an object that is not there is a `FileNotFoundError`.

    Raises:
        OSError: the store refuses, or does not answer.
    """
    from obstore.exceptions import BaseError

    try:
        yield
    except BaseError as error:
        raise OSError(f"{url}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
