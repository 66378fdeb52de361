"""Writes of the ingestion, and those that it skips."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest

from cli.demo.corpus import Chunk, Document
from cli.demo.ingest import ingest
from nalanda import AsyncNalanda

TIMES = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}


class Server:
    """The few calls of the ingestion, and its writes."""

    def __init__(self) -> None:
        self.library: dict[str, Any] | None = None
        self.documents: dict[str, dict[str, Any]] = {}
        self.writes: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        match request.method, request.url.path:
            case "GET", "/libraries/python":
                return self._library() if self.library else httpx.Response(404)
            case "POST", "/libraries":
                self.library = json.loads(request.content)
                return self._library()
            case "GET", "/libraries/python/documents":
                items = [self._document(name) for name in self.documents]
                return httpx.Response(200, json={"items": items, "next_cursor": None})
            case "PUT", _:
                self.documents[name] = json.loads(request.content)
                self.writes.append(name)
                return httpx.Response(200, json=self._document(name))
            case "DELETE", _:
                del self.documents[name]
                return httpx.Response(204)
        raise AssertionError(f"unexpected: {request.method} {request.url}")

    def _library(self) -> httpx.Response:
        return httpx.Response(200, json={"id": "1", "version": 1, **TIMES, **(self.library or {})})

    def _document(self, id: str) -> dict[str, Any]:
        stored = {k: v for k, v in self.documents[id].items() if k != "chunks"}
        return {"id": id, "version": 1, "library_id": "1", **TIMES, **stored}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncNalanda]:
    async with AsyncNalanda("http://server", transport=httpx.MockTransport(server)) as client:
        yield client


def document(name: str, content_hash: str = "1") -> Document:
    chunk = Chunk(f"{name}~0", f"{name}\n\nIt is.", {"name": name}, (f"{name}.run",))
    return Document(name, name, (chunk,), content_hash)


async def written(client: AsyncNalanda, documents: Sequence[Document]) -> list[bool]:
    return [step.written async for step in ingest(client, documents)]


async def test_the_first_run_writes_everything(client: AsyncNalanda, server: Server) -> None:
    assert await written(client, [document("os"), document("re")]) == [True, True]
    assert server.library is not None
    assert server.library["metadata_schema"]["fields"]["kind"]["enum"]
    assert server.documents["os"]["chunks"] == [
        {
            "id": "os~0",
            "text": "os\n\nIt is.",
            "metadata": {"name": "os"},
            "place": {"title": "os", "headings": ["os.run"]},
        }
    ]


async def test_a_second_run_writes_nothing(client: AsyncNalanda, server: Server) -> None:
    documents = [document("os"), document("re")]
    await written(client, documents)
    server.writes.clear()
    assert await written(client, documents) == [False, False]
    assert server.writes == []


async def test_what_changed_is_written_again(client: AsyncNalanda, server: Server) -> None:
    await written(client, [document("os"), document("re")])
    server.writes.clear()
    assert await written(client, [document("os"), document("re", "2")]) == [False, True]
    assert server.writes == ["re"]


async def test_what_another_python_left_is_deleted(client: AsyncNalanda, server: Server) -> None:
    await written(client, [document("asynchat"), document("re")])
    await written(client, [document("re")])
    assert list(server.documents) == ["re"]
