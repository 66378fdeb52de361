"""Cancelled ingestions: what they remove, what stays, and which writes are refused."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client

from activities.ingest_file import FileIngester, document_id
from core.contracts.ingest import ManifestItem
from core.domain.cancelled_ingestion import CancelledIngestion
from core.settings import Settings
from tests.integration.api.calls import assert_problem
from tests.integration.api.ingestions.stack import (
    DEADLINE_S,
    PORTS,
    SPICES,
    Stack,
    counts,
    stack_of,
    text,
)

HELD = ManifestItem(source="held.md", sha256="")
PATH_OF_HELD = f"/libraries/l/documents/{document_id(HELD)}"


class Gate:
    """A gate that files whose names begin with `held` do not pass."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def pass_through(self, source: str) -> None:
        if source.startswith("held"):
            self.reached.set()
            await self.opened.wait()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate, write = Gate(), FileIngester._create_or_replace

    async def stall(self: FileIngester, item: Any, stored: Any) -> Any:
        await gate.pass_through(item.source)
        return await write(self, item, stored)

    monkeypatch.setattr(FileIngester, "_create_or_replace", stall)
    return gate


@pytest.fixture
async def served(idle: Stack, gate: Gate) -> AsyncIterator[Stack]:
    async with idle.worker():
        yield idle


async def cancel(stack: Stack, workflow_id: str) -> dict[str, Any]:
    assert (await stack.http.post(f"/ingest/{workflow_id}/cancel")).status_code == 202
    return await stack.closed(workflow_id)


async def until_stored(stack: Stack, *sources: str) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not set(sources) <= set(await stack.documents()):  # noqa: ASYNC110  # remote
            await asyncio.sleep(0.02)


async def test_added_documents_are_removed(served: Stack, gate: Gate) -> None:
    added = [f"{i}.md" for i in range(8)]
    workflow_id = await served.start(*(text(source, PORTS) for source in [*added, "held.md"]))
    await until_stored(served, *added)
    state = await cancel(served, workflow_id)
    assert (state["status"], state["error"]) == ("cancelled", None)
    assert (counts(state), state["chunks"]) == ({"removed": 8}, 0)
    assert not await served.documents()
    search = {"text": "How deep is the harbour?", "mode": "lexical"}
    found = await served.http.post("/libraries/l/search", json=search)
    assert found.json()["hits"] == []
    assert (await served.http.post(f"/ingest/{workflow_id}/cancel")).status_code == 202
    assert_problem(await served.http.post(f"/ingest/{workflow_id}/resume"), 409)
    stream = (await served.http.get(f"/ingest/{workflow_id}/events")).text
    assert stream.count("event: file") == 8
    assert "event: error" in stream


async def test_documents_that_were_there_stay(served: Stack, gate: Gate) -> None:
    await served.ingest(text("old.md", PORTS), text("same.md", PORTS))
    files = [text("new.md", PORTS), text("old.md", SPICES), text("same.md", PORTS)]
    workflow_id = await served.start(*files, text("held.md", PORTS), prune_under="s")
    await until_stored(served, "new.md")
    async with asyncio.timeout(DEADLINE_S):
        while (await served.documents())["old.md"]["title"] != "Spices":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    state = await cancel(served, workflow_id)
    assert counts(state) == {"changed": 1, "unchanged": 1, "removed": 1}
    assert state["chunks"] == 1
    assert set(await served.documents()) == {"old.md", "same.md"}


async def test_a_document_that_was_written_again_stays(served: Stack, gate: Gate) -> None:
    workflow_id = await served.start(text("a.md", PORTS), text("held.md", PORTS))
    await until_stored(served, "a.md")
    documents = "/libraries/l/documents"
    stored = (await served.documents())["a.md"]["id"]
    await served.http.put(f"{documents}/{stored}", json={"source": "a.md", "text": "Mine."})
    state = await cancel(served, workflow_id)
    assert counts(state) == {"added": 1}
    assert list(await served.documents()) == ["a.md"]


async def test_a_document_that_another_client_wrote_meanwhile_stays(
    served: Stack, gate: Gate
) -> None:
    workflow_id = await served.start(text("held.md", PORTS))
    await asyncio.wait_for(gate.reached.wait(), DEADLINE_S)
    await served.http.put(PATH_OF_HELD, json={"source": "held.md", "text": PORTS})
    assert counts(await cancel(served, workflow_id)) == {}
    assert list(await served.documents()) == ["held.md"]


async def test_a_write_that_comes_after_the_cancellation_is_refused(
    served: Stack, gate: Gate
) -> None:
    workflow_id = await served.start(text("held.md", PORTS))
    await asyncio.wait_for(gate.reached.wait(), DEADLINE_S)
    await cancel(served, workflow_id)
    body, late = {"text": PORTS}, {"Nalanda-Ingestion": workflow_id}
    assert_problem(await served.http.put(PATH_OF_HELD, json=body, headers=late), 412)
    assert not await served.documents()
    assert (await served.http.put(PATH_OF_HELD, json=body)).status_code == 201


@pytest.fixture
async def restarted(settings: Settings, temporal: Client) -> str:
    """Return an ingestion that was cancelled, without a worker, before its app was stopped."""
    async with stack_of(settings, temporal) as stack:
        await stack.http.put("/libraries/l", json={"name": "library"})
        workflow_id = await stack.start(text("held.md", PORTS))
        assert (await stack.http.post(f"/ingest/{workflow_id}/cancel")).status_code == 202
    return workflow_id


async def test_a_write_that_comes_after_a_restart_is_refused(
    restarted: str, settings: Settings, temporal: Client
) -> None:
    body, late = {"text": PORTS}, {"Nalanda-Ingestion": restarted}
    async with stack_of(settings, temporal) as stack:
        assert_problem(await stack.http.put(PATH_OF_HELD, json=body, headers=late), 412)
        assert not await stack.documents()
        other = {"Nalanda-Ingestion": f"{restarted}-other"}
        assert (await stack.http.put(PATH_OF_HELD, json=body, headers=other)).status_code == 201


async def test_a_second_cancellation_writes_nothing(idle: Stack) -> None:
    workflow_id = await idle.start(text("a.md", PORTS))
    first, second = [await idle.http.post(f"/ingest/{workflow_id}/cancel") for _ in range(2)]
    assert int(second.headers["Nalanda-Position"]) == int(first.headers["Nalanda-Position"])


async def test_old_cancellations_are_forgotten(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingestions = idle.app.state.core.ingestions
    ingestions.cancel("l", "old")
    monkeypatch.setattr("core.services.ingestions.RETENTION", timedelta(days=-1))
    ingestions.cancel("l", "new")
    with idle.app.state.core.store.read() as snapshot:
        cancelled = snapshot.entities(CancelledIngestion).page("l", after=None, limit=10)
    assert [each.id for each in cancelled] == ["new"]


async def test_without_a_worker_the_documents_go_once_one_is_back(idle: Stack) -> None:
    workflow_id = await idle.start(text("a.md", PORTS))
    assert (await idle.http.post(f"/ingest/{workflow_id}/cancel")).status_code == 202
    async with idle.worker():
        state = await idle.closed(workflow_id)
    assert (state["status"], counts(state)) == ("cancelled", {})


async def test_a_library_that_is_gone_is_no_obstacle(served: Stack, gate: Gate) -> None:
    workflow_id = await served.start(text("a.md", PORTS), text("held.md", PORTS))
    await until_stored(served, "a.md")
    await served.http.delete("/libraries/l")
    state = await cancel(served, workflow_id)
    assert (state["status"], counts(state)) == ("cancelled", {"removed": 1})
