"""Sources of checkpoints: a folder, and another node over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from core.domain.errors import Unavailable
from core.indexing.checkpoints.paths import newest_in
from core.ports.checkpoint_source import CheckpointSource

_PIECE_BYTES = 2**20
_CONNECT_S, _READ_S = 2.0, 10.0
PATH = "/cluster/checkpoint"


class CheckpointFolder:
    """The checkpoints in a folder, such as a copy of another node's on a shared volume."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __str__(self) -> str:
        return str(self._folder)

    def newest(self) -> str | None:
        if not self._folder.is_dir():
            raise NotADirectoryError(f"{self._folder} is not a folder")
        newest = newest_in(self._folder)
        return None if newest is None else newest.name

    @contextmanager
    def open(self, name: str) -> Iterator[Iterator[bytes]]:
        with (self._folder / name).open("rb") as file:
            yield iter(lambda: file.read(_PIECE_BYTES), b"")


class CheckpointsOfNode:
    """The checkpoints of the node at a URL, which has to serve the database `instance_id`."""

    def __init__(self, url: str, *, instance_id: str, api_key: str | None) -> None:
        self._url = url.rstrip("/")
        headers = {"Nalanda-Instance": instance_id}
        if api_key is not None:
            headers["Authorization"] = f"Bearer {api_key}"
        self._client = httpx.Client(
            headers=headers,
            timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S),
            trust_env=False,
        )

    def __str__(self) -> str:
        return self._url

    def newest(self) -> str | None:
        with self._get("") as response:
            response.read()
            name: str | None = response.json()["name"]
            return name

    @contextmanager
    def open(self, name: str) -> Iterator[Iterator[bytes]]:
        # A body that ends before its length is an `httpx.TransportError`.
        with self._get(f"/{name}") as response:
            yield response.iter_bytes(_PIECE_BYTES)

    @contextmanager
    def _get(self, path: str) -> Iterator[httpx.Response]:
        try:
            with self._client.stream("GET", f"{self._url}{PATH}{path}") as response:
                _check(response)
                yield response
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise OSError(f"{self._url} does not answer: {error}") from error


def _check(response: httpx.Response) -> None:
    """Check a response's status.

    Raises:
        FileNotFoundError: the node has no such file.
        Unavailable: the node refuses, for example because it serves another database.
    """
    if response.is_success:
        return
    response.read()
    if response.status_code == httpx.codes.NOT_FOUND:
        raise FileNotFoundError(f"{response.url.path} is not there")
    raise Unavailable(f"{response.url} answers {response.status_code}: {response.text[:200]}")


def source_at(place: str, *, instance_id: str, api_key: str | None) -> CheckpointSource:
    """Return the source at a URL or in a folder."""
    if place.startswith(("http://", "https://")):
        return CheckpointsOfNode(place, instance_id=instance_id, api_key=api_key)
    return CheckpointFolder(Path(place))
