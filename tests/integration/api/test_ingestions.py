"""Ingestions from the upload to the search: the API, a real Temporal server, and a worker."""

import asyncio
import base64
import hashlib
import json
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from activities.ingest import Ingest
from api.main import create_app
from core.settings import Settings
from nalanda import AsyncNalanda, ConnectionFailed
from tests.integration.api.calls import assert_problem
from worker.stages import ingest_activities
from worker.temporal_worker import build_ingest_worker

DEADLINE_S = 60.0
POLL_S = 0.05
PORTS = "# Ports\n\nThe harbour of Tamralipti is nine fathoms deep.\n"
SPICES = "# Spices\n\nPepper is sold by the bahar in Calicut.\n"


@pytest.fixture
def settings(tmp_path: Path, temporal_address: str, request: pytest.FixtureRequest) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        temporal_address=temporal_address,
        task_queue=f"{request.node.name}-{id(request)}",
        provider="local",
        max_body_bytes=1_000_000,
    )


class Stack:
    """An app, its client, and the worker of its ingestions."""

    def __init__(self, app: Any, settings: Settings, temporal: Client) -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.app = app
        self.settings = settings
        self.http = httpx.AsyncClient(transport=transport, base_url="http://localhost")
        self.sdk = AsyncNalanda("http://localhost", transport=transport, max_retries=0)
        self._temporal = temporal

    def worker(self) -> Any:
        return build_ingest_worker(self._temporal, self.settings, ingest_activities(self.sdk))

    async def post(self, library: str, **call: Any) -> httpx.Response:
        return await self.http.post(f"/libraries/{library}/ingest", **call)

    async def start(self, *items: dict[str, Any], **options: Any) -> str:
        """Start an ingestion into the library `l`, and return its id."""
        response = await self.post("l", json={"items": items, **options})
        assert response.status_code == 202, response.text
        workflow_id: str = response.json()["workflow_id"]
        return workflow_id

    async def state(self, workflow_id: str) -> dict[str, Any]:
        response = await self.http.get(f"/ingest/{workflow_id}")
        assert response.status_code == 200, response.text
        state: dict[str, Any] = response.json()
        return state

    async def until(self, workflow_id: str, wanted: Callable[[dict[str, Any]], bool]) -> Any:
        async with asyncio.timeout(DEADLINE_S):
            while not wanted(state := await self.state(workflow_id)):  # noqa: ASYNC110  # remote
                await asyncio.sleep(POLL_S)
        return state

    async def closed(self, workflow_id: str) -> dict[str, Any]:
        def is_closed(state: dict[str, Any]) -> bool:
            return state["status"] not in {"running", "paused"}

        state: dict[str, Any] = await self.until(workflow_id, is_closed)
        return state

    async def ingest(self, *items: dict[str, Any], **options: Any) -> dict[str, Any]:
        return await self.closed(await self.start(*items, **options))

    async def documents(self) -> dict[str | None, Any]:
        listed = (await self.http.get("/libraries/l/documents")).json()["items"]
        return {document["source"]: document for document in listed}


@pytest.fixture
async def idle(settings: Settings, temporal: Client) -> AsyncIterator[Stack]:
    """Yield a stack with an empty library `l`, without a worker."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        stack = Stack(app, settings, temporal)
        async with stack.http, stack.sdk:
            await stack.http.put("/libraries/l", json={"name": "library"})
            yield stack


@pytest.fixture
async def stack(idle: Stack) -> AsyncIterator[Stack]:
    async with idle.worker():
        yield idle


def text(source: str, content: str, **more: Any) -> dict[str, Any]:
    return {"source": source, "text": content, **more}


def counts(state: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in state["files"].items() if count and name != "total"}


async def test_files_become_documents_that_are_found(stack: Stack) -> None:
    state = await stack.ingest(
        text("ports.md", PORTS, metadata={"year": 400}), text("b/spices.md", SPICES, title="Own")
    )
    assert (state["status"], state["error"], state["failures"]) == ("completed", None, [])
    assert state["files"] == {
        "total": 2,
        "added": 2,
        "changed": 0,
        "unchanged": 0,
        "failed": 0,
        "pruned": 0,
    }
    assert state["chunks"] == 2
    assert state["started_at"] <= state["ended_at"]
    documents = await stack.documents()
    assert {source: found["title"] for source, found in documents.items()} == {
        "ports.md": "Ports",
        "b/spices.md": "Own",
    }
    digest = hashlib.sha256(PORTS.encode()).hexdigest()
    assert documents["ports.md"]["metadata"] == {"year": 400, "content_sha256": digest}
    search = {"text": "How deep is the harbour?", "k": 1, "include": ["text", "document"]}
    [hit] = (await stack.http.post("/libraries/l/search", json=search)).json()["hits"]
    assert "nine fathoms" in hit["text"]
    [chunk] = (await stack.http.get(f"/libraries/l/documents/{hit['document_id']}/chunks")).json()[
        "items"
    ]
    assert (chunk["place"]["title"], chunk["place"]["headings"]) == ("Ports", ["Ports"])
    assert hit["document"]["source"] == "ports.md"


async def test_the_same_bytes_change_nothing_and_others_replace(stack: Stack) -> None:
    await stack.ingest(text("a.md", PORTS), text("b.md", SPICES))
    before = await stack.documents()
    again = await stack.ingest(text("a.md", PORTS), text("b.md", SPICES + "\nDearly.\n"))
    assert counts(again) == {"unchanged": 1, "changed": 1}
    after = await stack.documents()
    assert after["a.md"] == before["a.md"]
    assert after["b.md"]["version"] > before["b.md"]["version"]
    assert after["b.md"]["created_at"] == before["b.md"]["created_at"]


async def test_a_poisoned_file_is_named_and_the_rest_goes_on(stack: Stack) -> None:
    poison = base64.b64encode(b"\xff\xfe\xfd").decode()
    state = await stack.ingest(
        {"source": "bad.md", "content_base64": poison},
        text("nul.txt", "a\0b"),
        text("good.md", PORTS),
    )
    assert (state["status"], counts(state)) == ("completed", {"added": 1, "failed": 2})
    assert state["failures"] == [
        {
            "source": "bad.md",
            "detail": "The file is not UTF-16 text as its first bytes say (offset 2).",
        },
        {"source": "nul.txt", "detail": "The file has NUL characters, so it is not text."},
    ]
    assert list(await stack.documents()) == ["good.md"]


async def test_an_upload_in_parts(stack: Stack) -> None:
    files = [
        ("file", ("notes/ports.md", PORTS.encode(), "application/octet-stream")),
        ("file", ("übersicht.txt", SPICES.encode(), "text/plain")),
    ]
    options = {"options": json.dumps({"metadata": {"by": "me"}})}
    response = await stack.post("l", files=files, data=options)
    assert response.status_code == 202, response.text
    handle = response.json()
    assert handle["status_url"] == f"http://localhost/ingest/{handle['workflow_id']}"
    assert response.headers["Location"] == handle["status_url"]
    assert counts(await stack.closed(handle["workflow_id"])) == {"added": 2}
    documents = await stack.documents()
    assert {source: d["metadata"]["by"] for source, d in documents.items()} == {
        "notes/ports.md": "me",
        "übersicht.txt": "me",
    }


async def test_the_kept_files_are_private_and_go_once_nothing_refers_to_them(stack: Stack) -> None:
    await stack.ingest(text("a.md", PORTS))
    uploads = stack.app.state.core.uploads
    kept = list(stack.settings.data_dir.joinpath("uploads").rglob("*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept if path.is_dir()} == {0o700}
    [ingestion] = uploads.ingestions(older_than_s=0)
    assert uploads.sweep(older_than_s=0) == 0
    uploads.forget(ingestion)
    assert uploads.sweep(older_than_s=0) == 2
    digest = hashlib.sha256(PORTS.encode()).hexdigest()
    assert_problem(await stack.http.get(f"/uploads/{digest}"), 404)


async def test_a_key_makes_the_same_files_the_same_ingestion(idle: Stack) -> None:
    key = {"Idempotency-Key": "once"}

    async def upload(content: str) -> httpx.Response:
        return await idle.post("l", files={"file": ("a.md", content)}, headers=key)

    first, second, other = await upload(PORTS), await upload(PORTS), await upload(SPICES)
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert_problem(other, 422, "/Idempotency-Key")


async def test_pruning_spares_what_is_among_the_items_and_what_is_elsewhere(stack: Stack) -> None:
    await stack.ingest(text("a/1.md", PORTS), text("a/2.md", SPICES), text("b/1.md", SPICES))
    state = await stack.ingest(text("a/1.md", PORTS), prune_under="a/")
    assert counts(state) == {"unchanged": 1, "pruned": 1}
    assert set(await stack.documents()) == {"a/1.md", "b/1.md"}


async def test_paused_it_waits_and_resumed_it_goes_on(idle: Stack) -> None:
    workflow_id = await idle.start(*(text(f"{i}.md", PORTS) for i in range(12)))
    paused = await idle.http.post(f"/ingest/{workflow_id}/pause")
    assert (paused.status_code, paused.json()) == (202, {"workflow_id": workflow_id})
    async with idle.worker():
        state = await idle.until(workflow_id, lambda state: state["status"] == "paused")
        assert state["files"]["added"] == 0
        assert (await idle.http.post(f"/ingest/{workflow_id}/resume")).status_code == 202
        assert counts(await idle.closed(workflow_id)) == {"added": 12}
    assert_problem(await idle.http.post(f"/ingest/{workflow_id}/pause"), 409)


async def test_cancelled_it_leaves_whole_documents_alone(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, ingest = asyncio.Event(), Ingest._create_or_replace

    async def stall(self: Ingest, given: Any, item: Any) -> Any:
        if item.source == "1.md":
            reached.set()
            await asyncio.Event().wait()
        return await ingest(self, given, item)

    monkeypatch.setattr(Ingest, "_create_or_replace", stall)
    async with idle.worker():
        workflow_id = await idle.start(*(text(f"{i}.md", PORTS) for i in range(3)))
        await asyncio.wait_for(reached.wait(), DEADLINE_S)
        assert (await idle.http.post(f"/ingest/{workflow_id}/cancel")).status_code == 202
        state = await idle.closed(workflow_id)
        assert (state["status"], state["error"]) == ("cancelled", None)
        assert (await idle.http.post(f"/ingest/{workflow_id}/cancel")).status_code == 202
        assert_problem(await idle.http.post(f"/ingest/{workflow_id}/resume"), 409)
    assert list(await idle.documents()) == ["0.md"]


async def test_a_deleted_library_ends_the_ingestion(idle: Stack) -> None:
    workflow_id = await idle.start(text("a.md", PORTS))
    await idle.http.delete("/libraries/l")
    async with idle.worker():
        state = await idle.closed(workflow_id)
    assert state["status"] == "failed"
    assert "There is no library" in state["error"]


def parsed(stream: str) -> list[tuple[int, str, Any]]:
    events = []
    for block in stream.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[0] != ":")
        if fields:
            events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return events


async def test_events_name_each_file_and_resume(stack: Stack) -> None:
    workflow_id = await stack.start(text("a.md", PORTS), text("nul.txt", "\0"))
    path = f"/ingest/{workflow_id}/events"
    events = parsed((await stack.http.get(path)).text)
    files = [data for _, kind, data in events if kind == "file"]
    assert [(file["source"], file["status"], file["chunks"]) for file in files] == [
        ("a.md", "added", 1),
        ("nul.txt", "failed", 0),
    ]
    assert events[-1][1] == "result"
    assert events[-1][2] == await stack.state(workflow_id)
    numbers = [number for number, _, _ in events]
    assert numbers == sorted(set(numbers))
    last = {"Last-Event-ID": "2"}
    resumed = parsed((await stack.http.get(path, headers=last)).text)
    assert [data["source"] for _, kind, data in resumed if kind == "file"] == ["nul.txt"]
    ended = await stack.http.get(path, headers={"Last-Event-ID": str(numbers[-1])})
    assert ended.status_code == 204


BOUNDARY = {"Content-Type": "multipart/form-data; boundary=x"}


def part(name: str, content: str, filename: str | None = None) -> str:
    named = "" if filename is None else f'; filename="{filename}"'
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n{content}\r\n'


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"items": []}, ["/items"]),
        ({"items": [{"source": "a"}]}, ["/items/0"]),
        ({"items": [{"source": "a", "content_base64": "?"}]}, ["/items/0/content_base64"]),
        ({"items": [text("a\n", "b")]}, ["/items/0/source"]),
        ({"items": [text("a", "b"), text("a", "c")]}, ["/items/1/source"]),
        ({"items": [text("a", "b")], "prune_under": ""}, ["/prune_under"]),
        ({"items": [text("a", "b")] * 1001}, ["/items"]),
    ],
)
async def test_bad_items_are_named(idle: Stack, body: Any, pointers: list[str]) -> None:
    assert_problem(await idle.post("l", json=body), 422, *pointers)


@pytest.mark.parametrize(
    ("parts", "pointers"),
    [
        ([], ["/file"]),
        ([part("other", "a")], ["/other"]),
        ([part("file", "a")], ["/file/0"]),
        ([part("file", "a", "x"), part("file", "b", "x")], ["/file/1"]),
        ([part("file", "a", "x"), part("options", '{"prune": 1}')], ["/options/prune"]),
        ([part("options", "{}"), part("options", "{}")], ["/options"]),
    ],
)
async def test_bad_parts_are_named(idle: Stack, parts: list[str], pointers: list[str]) -> None:
    body = "".join([*parts, "--x--\r\n"])
    assert_problem(await idle.post("l", content=body, headers=BOUNDARY), 422, *pointers)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (part("file", "a", "x"), BOUNDARY, 400),
        ("--y\r\n", BOUNDARY, 400),
        ("", {"Content-Type": "multipart/form-data"}, 400),
        ("a", {"Content-Type": "text/plain"}, 415),
        ("{", {"Content-Type": "application/json"}, 400),
    ],
    ids=["cut off", "other boundary", "no boundary", "no form", "no JSON"],
)
async def test_a_malformed_upload_leaves_nothing(
    idle: Stack, body: str, headers: dict[str, str], status: int
) -> None:
    assert_problem(await idle.post("l", content=body, headers=headers), status)
    uploads = idle.settings.data_dir / "uploads"
    assert not [path for path in uploads.rglob("*") if path.name.endswith(".new")]


async def test_unknown_things_are_404(idle: Stack) -> None:
    assert_problem(await idle.post("none", json={"items": [text("a", "b")]}), 404)
    for path in ("/ingest/none", "/ingest/none/events", "/uploads/none", f"/uploads/{'a' * 64}"):
        assert_problem(await idle.http.get(path), 404)
    assert_problem(await idle.http.post("/ingest/none/cancel"), 404)


async def test_a_library_of_own_vectors_takes_no_files(idle: Stack) -> None:
    chunks = [{"text": "a", "embedding": [1, 0]}]
    await idle.http.put("/libraries/own", json={"name": "own", "dimension": 2})
    await idle.http.post("/libraries/own/documents", json={"chunks": chunks})
    assert_problem(await idle.post("own", json={"items": [text("a", "b")]}), 422, "/library_id")


async def test_without_temporal_it_is_503(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"temporal_address": "127.0.0.1:1"}))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        await client.put("/libraries/l", json={"name": "library"})
        response = await client.post("/libraries/l/ingest", json={"items": [text("a", "b")]})
        assert_problem(response, 503)
        assert response.headers["Retry-After"]


async def test_a_retry_goes_on_behind_the_reported_files(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    write = Ingest._create_or_replace

    async def interrupted(self: Ingest, given: Any, item: Any) -> Any:
        begun.append(item.source)
        if begun.count("2.md") == 1 and item.source == "2.md":
            raise ConnectionFailed("The API restarts.")
        return await write(self, given, item)

    monkeypatch.setattr(Ingest, "_create_or_replace", interrupted)
    async with idle.worker():
        state = await idle.ingest(*(text(f"{i}.md", PORTS) for i in range(4)))
    assert (state["status"], counts(state)) == ("completed", {"added": 4})
    assert begun == ["0.md", "1.md", "2.md", "2.md", "3.md"]


async def test_a_document_that_an_attempt_wrote_unreported_counts_once(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[str] = []
    write = Ingest._create_or_replace

    async def lose_answer(self: Ingest, given: Any, item: Any) -> Any:
        outcome = await write(self, given, item)
        if item.source not in lost:
            lost.append(item.source)
            raise ConnectionFailed("The answer was lost.")
        return outcome

    async with idle.worker():
        await idle.ingest(text("old.md", PORTS), text("same.md", PORTS))
        monkeypatch.setattr(Ingest, "_create_or_replace", lose_answer)
        new, old, same = text("new.md", PORTS), text("old.md", SPICES), text("same.md", PORTS)
        state = await idle.ingest(new, old, same)
    assert counts(state) == {"added": 1, "changed": 1, "unchanged": 1}
    assert state["chunks"] == 2
    assert lost == ["new.md", "old.md", "same.md"]


async def test_another_worker_takes_over_and_a_file_that_ends_workers_is_left(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.ingest.MAX_TRIES", 1)
    reached, write = asyncio.Event(), Ingest._create_or_replace

    async def hang(self: Ingest, given: Any, item: Any) -> Any:
        if item.source == "1.md":
            reached.set()
            await asyncio.Event().wait()
        return await write(self, given, item)

    monkeypatch.setattr(Ingest, "_create_or_replace", hang)
    settings = idle.settings.model_copy(update={"drain_s": 0.0})
    monkeypatch.setattr(idle, "settings", settings)
    async with idle.worker():
        workflow_id = await idle.start(*(text(f"{i}.md", PORTS) for i in range(3)))
        await asyncio.wait_for(reached.wait(), DEADLINE_S)
    async with idle.worker():
        state = await idle.closed(workflow_id)
    assert (state["status"], counts(state)) == ("completed", {"added": 2, "failed": 1})
    detail = "The worker ended 1 times while it read this file."
    assert state["failures"] == [{"source": "1.md", "detail": detail}]
