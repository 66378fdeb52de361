"""Files that fail: each is named with the reason, and the others come in."""

import asyncio
import errno
import os
from collections.abc import Sequence
from typing import Any

import pytest

from activities.ingest_file import FileIngester
from core.ports.uploads import UploadStore
from tests.integration.api.calls import assert_problem
from tests.integration.api.ingestions.stack import DEADLINE_S, PORTS, SPICES, Stack, counts, text

POISON = "Poison"


@pytest.fixture
def miscounting(idle: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Return the stack with a model that forgets a vector of texts with a poison."""
    core = idle.app.state.core
    embedder = core.embedders[core.default_model]
    embed = embedder.embed

    def forget(texts: Sequence[str], kind: Any) -> Any:
        rows = embed(texts, kind)
        return rows[1:] if any(POISON in text for text in texts) else rows

    monkeypatch.setattr(embedder, "embed", forget, raising=False)
    return idle


async def test_a_wrong_number_of_vectors_fails_the_file_alone(miscounting: Stack) -> None:
    async with miscounting.worker():
        state = await miscounting.ingest(
            text("a.md", PORTS), text("bad.md", POISON), text("b.md", SPICES)
        )
    assert (state["status"], counts(state)) == ("completed", {"added": 2, "failed": 1})
    [failure] = state["failures"]
    assert failure["source"] == "bad.md"
    assert "returned invalid embeddings" in failure["detail"]
    assert set(await miscounting.documents()) == {"a.md", "b.md"}


async def test_a_library_that_is_deleted_while_it_is_filled_ends_the_ingestion(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, deleted = asyncio.Event(), asyncio.Event()
    write = FileIngester._create_or_replace

    async def wait(self: FileIngester, item: Any, stored: Any) -> Any:
        reached.set()
        await deleted.wait()
        return await write(self, item, stored)

    monkeypatch.setattr(FileIngester, "_create_or_replace", wait)
    async with idle.worker():
        workflow_id = await idle.start(text("a.md", PORTS), text("b.md", SPICES))
        await asyncio.wait_for(reached.wait(), DEADLINE_S)
        await idle.http.delete("/libraries/l")
        deleted.set()
        state = await idle.closed(workflow_id)
    assert state["status"] == "failed"
    assert "There is no library" in state["error"]
    assert_problem(await idle.http.get("/libraries/l"), 404)


async def test_the_same_files_twice_at_once_come_in_once(stack: Stack) -> None:
    files = [text(f"{number}.md", PORTS) for number in range(20)]
    ids = [await stack.start(*files), await stack.start(*files)]
    states = [await stack.closed(workflow_id) for workflow_id in ids]
    for state in states:
        assert (state["status"], state["failures"]) == ("completed", [])
        assert sum(counts(state).values()) == len(files)
    documents = (await stack.http.get("/libraries/l/documents")).json()["items"]
    assert sorted(document["source"] for document in documents) == sorted(
        file["source"] for file in files
    )
    chunks = (await stack.http.get("/libraries/l/chunks?limit=1000")).json()["items"]
    assert sorted(chunk["document_id"] for chunk in chunks) == sorted(d["id"] for d in documents)


async def test_an_upload_whose_client_leaves_keeps_nothing(idle: Stack) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\nPepper'
    pieces = iter(
        [
            {"type": "http.request", "body": body, "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Any:
        return next(pieces)

    async def send(_: Any) -> None:
        pass

    headers = [(b"host", b"localhost"), (b"content-type", b"multipart/form-data; boundary=x")]
    path = "/libraries/l/ingest"
    call = {"method": "POST", "path": path, "raw_path": path.encode(), "headers": headers}
    connection = {"client": ("127.0.0.1", 1), "server": ("localhost", 80), "scheme": "http"}
    scope = {"type": "http", "http_version": "1.1", "query_string": b"", **call, **connection}
    await idle.app(scope, receive, send)
    uploads = idle.settings.data_dir / "uploads"
    assert not [found for found in uploads.rglob("*") if found.is_file()]


@pytest.fixture(params=["json", "multipart"])
def call(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return a request with two files, the second of which is large."""
    large = PORTS * 200
    if request.param == "json":
        return {"json": {"items": [text("a.md", PORTS), text("large.md", large)]}}
    return {"files": [("file", ("a.md", PORTS)), ("file", ("large.md", large))]}


async def test_uploads_over_the_limit_are_507_with_the_file_s_name(
    idle: Stack, call: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle.app.state.core.uploads, "_max_bytes", 2 * len(PORTS))
    response = await idle.post("l", **call)
    assert_problem(response, 507)
    assert "The file 'large.md' can't be kept." in response.json()["detail"]
    assert "NALANDA_MAX_UPLOAD_BYTES" in response.json()["detail"]
    _assert_nothing_unfinished(idle)


async def test_a_full_disk_is_507_with_the_file_s_name(
    idle: Stack, call: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write

    def fail(descriptor: int, content: bytes) -> int:
        if len(content) > len(PORTS):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, content)

    monkeypatch.setattr("core.adapters.incoming.os.write", fail)
    response = await idle.post("l", **call)
    monkeypatch.undo()
    assert_problem(response, 507)
    assert "The file 'large.md' can't be kept." in response.json()["detail"]
    assert "No space left on device" in response.json()["detail"]
    _assert_nothing_unfinished(idle)
    assert (await idle.post("l", **call)).status_code == 202


def _assert_nothing_unfinished(stack: Stack) -> None:
    uploads: UploadStore = stack.app.state.core.uploads
    assert uploads.ingestions(older_than_s=0) == []
    assert not list((stack.settings.data_dir / "uploads").glob("*.new"))
