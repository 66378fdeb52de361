"""Ingestions that run: documents, uploads, pauses and events."""

import base64
import hashlib
import json
import stat
from functools import partial
from unittest.mock import patch

import httpx

from api.ingestions.sweeping import sweep
from tests.integration.api.calls import assert_problem
from tests.integration.api.ingestions.stack import PORTS, SPICES, Stack, counts, text
from tests.integration.api.questions.calls import parse_events
from tests.unit.core.documents.pdf.files import HARBOUR, paragraph, story


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
        "removed": 0,
        "pruned": 0,
    }
    assert state["chunks"] == 2
    assert state["started_at"] <= state["ended_at"]
    documents = await stack.documents()
    assert {source: document["title"] for source, document in documents.items()} == {
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
    paths = list(stack.settings.data_dir.joinpath("uploads").rglob("*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
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


async def test_a_deleted_library_ends_the_ingestion(idle: Stack) -> None:
    workflow_id = await idle.start(text("a.md", PORTS))
    await idle.http.delete("/libraries/l")
    async with idle.worker():
        state = await idle.closed(workflow_id)
    assert state["status"] == "failed"
    assert "There is no library" in state["error"]


async def test_events_name_each_file_and_resume(stack: Stack) -> None:
    workflow_id = await stack.start(text("a.md", PORTS), text("nul.txt", "\0"))
    path = f"/ingest/{workflow_id}/events"
    events = parse_events((await stack.http.get(path)).text)
    files = [data for _, kind, data in events if kind == "file"]
    assert [(file["source"], file["status"], file["chunks"]) for file in files] == [
        ("a.md", "added", 1),
        ("nul.txt", "failed", 0),
    ]
    assert events[-1][1] == "result"
    assert events[-1][2] == await stack.state(workflow_id)
    numbers = [number for number, _, _ in events]
    assert numbers == sorted(set(numbers))
    first = next(number for number, kind, _ in events if kind == "file")
    last = {"Last-Event-ID": str(first)}
    resumed = parse_events((await stack.http.get(path, headers=last)).text)
    assert [data["source"] for _, kind, data in resumed if kind == "file"] == ["nul.txt"]
    ended = await stack.http.get(path, headers={"Last-Event-ID": str(numbers[-1])})
    assert ended.status_code == 204


async def test_the_file_of_a_pdf_is_kept_for_pictures_of_its_pages(stack: Stack) -> None:
    content = story(paragraph(HARBOUR))
    item = {"source": "a.pdf", "content_base64": base64.b64encode(content).decode()}
    await stack.ingest(item, text("a.md", PORTS))
    core = stack.app.state.core
    document = (await stack.documents())["a.pdf"]
    sha256 = document["metadata"]["file_sha256"]
    assert sha256 == hashlib.sha256(content).hexdigest()
    path = f"/libraries/l/documents/{document['id']}"

    await _sweep_all(stack, 10**6)
    assert [upload.name for upload in core.uploads._files()] == [sha256]
    page = await stack.http.get(f"{path}/pages/1")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "image/png")
    assert float(page.headers["Nalanda-Scale"]) == 2
    assert_problem(await stack.http.get(f"{path}/pages/2"), 404)
    assert_problem(await stack.http.get(f"{path}/pages/0"), 422, "/page")

    await _sweep_all(stack, len(content))  # half of this is too little
    assert_problem(await stack.http.get(f"{path}/pages/1"), 404)


async def test_the_file_of_a_deleted_document_goes(stack: Stack) -> None:
    content = base64.b64encode(story(paragraph(HARBOUR))).decode()
    await stack.ingest({"source": "a.pdf", "content_base64": content})
    document = (await stack.documents())["a.pdf"]
    path = f"/libraries/l/documents/{document['id']}"
    await stack.http.patch(path, json={"metadata": {"file_sha256": "../../../etc/passwd"}})
    assert_problem(await stack.http.get(f"{path}/pages/1"), 404)
    await _sweep_all(stack, 10**6)
    assert stack.app.state.core.uploads._files() == []


async def _sweep_all(stack: Stack, max_bytes: int) -> None:
    """Sweep as if all files were old."""
    core = stack.app.state.core
    old = {"older_than_s": 0.0}
    with (
        patch.object(core.uploads, "ingestions", partial(core.uploads.ingestions, **old)),
        patch.object(core.uploads, "sweep", partial(core.uploads.sweep, **old)),
    ):
        await sweep(stack.app.state.temporal, core, max_bytes)
