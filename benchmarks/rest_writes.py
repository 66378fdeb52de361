"""The part of `make bench ARGS=storage` over REST: a server, and clients that each write one chunk
at a time.

A client is a thread with one connection. A write is `POST …/chunks` with a text and 384 numbers.
"""

import http.client
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import httpx

from benchmarks.server import serve

Client: TypeAlias = Callable[[], Callable[[str], None]]
"""Opens a connection; what it returns writes a chunk with this id."""

_HEADERS = {"Content-Type": "application/json"}
_LIBRARY = {"name": "l", "metric": "cosine"}


@contextmanager
def served_store(
    data: Path, text: str, embedding: bytes, database_url: str | None = None
) -> Iterator[Client]:
    """Serve an empty store on SQLite, or on the PostgreSQL database at a URL."""
    environment = {} if database_url is None else {"NALANDA_DATABASE_URL": database_url}
    with serve(data, environment=environment) as api:
        dimension = len(embedding) // 4
        api.post("/libraries", json={**_LIBRARY, "dimension": dimension}).raise_for_status()
        yield client_of(api, text, embedding)


def client_of(api: httpx.Client, text: str, embedding: bytes) -> Client:
    """Return a client of a server that has the library `l`, whose chunks are of one new document.

    Raises:
        httpx.HTTPStatusError: the server refuses the document.
    """
    rest = {"text": text, "embedding": b64encode(embedding).decode()}
    api.put("/libraries/l/documents/d", json={}).raise_for_status()
    host, port = api.base_url.host, api.base_url.port

    def client() -> Callable[[str], None]:
        connection = http.client.HTTPConnection(host, port)

        def write_one(id_: str) -> None:
            body = json.dumps({"chunks": [{"id": id_, **rest}]})
            connection.request("POST", "/libraries/l/documents/d/chunks", body, _HEADERS)
            response = connection.getresponse()
            answer = response.read()
            if response.status != http.client.CREATED:
                raise RuntimeError(answer.decode())

        return write_one

    return client
