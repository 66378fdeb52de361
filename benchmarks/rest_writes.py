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
    rest = {"text": text, "embedding": b64encode(embedding).decode()}
    with serve(data, environment=environment) as api:
        dimension = len(embedding) // 4
        api.post("/libraries", json={**_LIBRARY, "dimension": dimension}).raise_for_status()
        api.put("/libraries/l/documents/d", json={}).raise_for_status()
        address = (api.base_url.host, api.base_url.port)

        def client() -> Callable[[str], None]:
            connection = http.client.HTTPConnection(*address)

            def write_one(id_: str) -> None:
                body = json.dumps({"chunks": [{"id": id_, **rest}]})
                connection.request("POST", "/libraries/l/documents/d/chunks", body, _HEADERS)
                response = connection.getresponse()
                answer = response.read()
                if response.status != http.client.CREATED:
                    raise RuntimeError(answer.decode())

            return write_one

        yield client
