"""Attempts of an ingestion: what another one repeats after an error or the end of a worker."""

import asyncio
from typing import Any

import pytest

from activities.ingest_file import FileIngester
from nalanda import ConnectionFailed
from tests.integration.api.ingestions.stack import (
    DEADLINE_S,
    POLL_S,
    PORTS,
    SPICES,
    Stack,
    counts,
    text,
)


async def test_a_retry_goes_on_behind_the_reported_files(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    write = FileIngester._create_or_replace

    async def interrupted(self: FileIngester, item: Any, stored: Any) -> Any:
        begun.append(item.source)
        if begun.count("2.md") == 1 and item.source == "2.md":
            raise ConnectionFailed("The API restarts.")
        return await write(self, item, stored)

    monkeypatch.setattr(FileIngester, "_create_or_replace", interrupted)
    async with idle.worker():
        state = await idle.ingest(*(text(f"{i}.md", PORTS) for i in range(8)))
    assert (state["status"], counts(state)) == ("completed", {"added": 8})
    assert [begun.count(f"{i}.md") for i in range(3)] == [1, 1, 2]


async def test_a_document_that_an_attempt_wrote_unreported_counts_once(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[str] = []
    write = FileIngester._create_or_replace

    async def lose_answer(self: FileIngester, item: Any, stored: Any) -> Any:
        outcome = await write(self, item, stored)
        if item.source not in lost:
            lost.append(item.source)
            raise ConnectionFailed("The answer was lost.")
        return outcome

    async with idle.worker():
        await idle.ingest(text("old.md", PORTS), text("same.md", PORTS))
        monkeypatch.setattr(FileIngester, "_create_or_replace", lose_answer)
        new, old, same = text("new.md", PORTS), text("old.md", SPICES), text("same.md", PORTS)
        state = await idle.ingest(new, old, same)
    assert counts(state) == {"added": 1, "changed": 1, "unchanged": 1}
    assert state["chunks"] == 2
    assert sorted(lost) == ["new.md", "old.md", "same.md"]


async def until_heartbeat(stack: Stack, workflow_id: str, reported: list[bytes]) -> None:
    """Wait until the details of the running activity's last heartbeat have these fragments."""
    handle = stack.temporal.get_workflow_handle(workflow_id)
    async with asyncio.timeout(DEADLINE_S):
        while True:
            [running] = (await handle.describe()).raw_description.pending_activities
            details = b"".join(payload.data for payload in running.heartbeat_details.payloads)
            if all(fragment in details for fragment in reported):
                return
            await asyncio.sleep(POLL_S)


async def test_another_worker_takes_over_and_a_file_that_ends_workers_is_left(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.ingest_turn.MAX_TRIES", 1)
    # On a busy machine the first file takes a whole turn, after which two files begin at once.
    monkeypatch.setattr("activities.ingest_turn.TURN_S", DEADLINE_S)
    begun: asyncio.Queue[None] = asyncio.Queue()
    write = FileIngester._create_or_replace

    async def hang(self: FileIngester, item: Any, stored: Any) -> Any:
        if item.source == "1.md":
            begun.put_nowait(None)
            await asyncio.Event().wait()
        return await write(self, item, stored)

    monkeypatch.setattr(FileIngester, "_create_or_replace", hang)
    settings = idle.settings.model_copy(update={"drain_s": 0.0})
    monkeypatch.setattr(idle, "settings", settings)
    workflow_id = await idle.start(*(text(f"{i}.md", PORTS) for i in range(3)))
    for reported in ([b'"together":true'], [b'"0.md"', b'"begun":1']):
        async with idle.worker():
            await asyncio.wait_for(begun.get(), DEADLINE_S)
            await until_heartbeat(idle, workflow_id, reported)
    async with idle.worker():
        state = await idle.closed(workflow_id)
    assert (state["status"], counts(state)) == ("completed", {"added": 2, "failed": 1})
    detail = "The worker ended 1 times while it read this file."
    assert state["failures"] == [{"source": "1.md", "detail": detail}]


async def test_a_cancelled_ingestion_removes_what_a_dead_worker_wrote(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, write = asyncio.Event(), FileIngester._create_or_replace

    async def die(self: FileIngester, item: Any, stored: Any) -> Any:
        await write(self, item, stored)
        written.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(FileIngester, "_create_or_replace", die)
    settings = idle.settings.model_copy(update={"drain_s": 0.0})
    monkeypatch.setattr(idle, "settings", settings)
    async with idle.worker():
        workflow_id = await idle.start(text("new.md", PORTS))
        await asyncio.wait_for(written.wait(), DEADLINE_S)
    assert list(await idle.documents()) == ["new.md"]
    assert (await idle.http.post(f"/ingest/{workflow_id}/cancel")).status_code == 202
    async with idle.worker():
        state = await idle.closed(workflow_id)
    assert (state["status"], counts(state)) == ("cancelled", {"removed": 1})
    assert not await idle.documents()
