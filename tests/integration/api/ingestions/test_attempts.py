"""Attempts of an ingestion: what another one repeats after an error or the end of a worker."""

import asyncio
from typing import Any

import pytest

from activities.ingest import Ingest
from nalanda import ConnectionFailed
from tests.integration.api.ingestions.stack import DEADLINE_S, PORTS, SPICES, Stack, counts, text


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
