"""Waits of a running ingestion: for a worker, or for the next attempt after a failure."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from activities.ingest_file import FileIngester
from api.ingestions.events import progress_of
from api.wire.ingestions import IngestionProgressEvent, IngestionResponse
from nalanda import UnavailableError
from tests.integration.api.ingestions.stack import (
    DEADLINE_S,
    POLL_S,
    PORTS,
    Stack,
    counts,
    text,
)
from tests.integration.api.questions.calls import parse_events


async def test_it_waits_for_a_worker(idle: Stack) -> None:
    queue = f"{idle.settings.task_queue}-ingest"
    workflow_id = await idle.start(text("a.md", PORTS))
    waiting = await idle.state(workflow_id)
    assert (waiting["status"], waiting["waiting_for"]) == ("running", "worker")
    checks = (await idle.http.get("/readyz")).json()["checks"]
    assert checks["ingest_worker"] == f"none polls the task queue {queue}: ingestions wait for one"
    async with idle.worker():
        closed = await idle.closed(workflow_id)
        assert (counts(closed), closed["waiting_for"]) == ({"added": 1}, None)
        assert (await idle.http.get("/readyz")).json()["checks"]["ingest_worker"] == "ok"
    assert (await idle.state(workflow_id))["waiting_for"] is None


async def is_due(stack: Stack, workflow_id: str) -> bool:
    """Return whether an activity of the ingestion runs or waits for a worker."""
    description = await stack.temporal.get_workflow_handle(workflow_id).describe()
    return len(description.raw_description.pending_activities) > 0


async def test_a_slot_of_a_busy_worker_is_no_worker(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.temporal_worker.CONCURRENT_INGESTIONS", 1)
    monkeypatch.setattr("api.pending_tasks.WAITING_AFTER", timedelta(0))
    go_on, ingest = asyncio.Event(), FileIngester._create_or_replace

    async def stall(self: FileIngester, item: Any, stored: Any) -> Any:
        await go_on.wait()
        return await ingest(self, item, stored)

    monkeypatch.setattr(FileIngester, "_create_or_replace", stall)
    async with idle.worker():
        started = [await idle.start(text(name, PORTS)) for name in ("a.md", "b.md")]
        async with asyncio.timeout(DEADLINE_S):
            while not all([await is_due(idle, id_) for id_ in started]):  # noqa: ASYNC110  # remote
                await asyncio.sleep(POLL_S)
        states = [await idle.state(workflow_id) for workflow_id in started]
        assert [state["waiting_for"] for state in states] == [None, None]
        go_on.set()
        for workflow_id in started:
            assert counts(await idle.closed(workflow_id)) == {"added": 1}


async def test_the_failure_of_what_is_tried_again(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    up, ingest = asyncio.Event(), FileIngester._create_or_replace

    async def fail(self: FileIngester, item: Any, stored: Any) -> Any:
        if not up.is_set():
            raise UnavailableError(503, "Unavailable", "The provider does not respond.")
        return await ingest(self, item, stored)

    monkeypatch.setattr(FileIngester, "_create_or_replace", fail)
    async with idle.worker():
        workflow_id = await idle.start(text("a.md", PORTS))
        state = await idle.until(workflow_id, lambda state: state["next_attempt_at"] is not None)
        assert "The provider does not respond." in state["last_failure"]
        assert state["waiting_for"] is None
        up.set()
        closed = await idle.closed(workflow_id)
    assert (closed["last_failure"], closed["next_attempt_at"]) == (None, None)


async def test_the_stream_says_what_it_waits_for(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits_for_worker = asyncio.Event()

    def watched(state: IngestionResponse) -> IngestionProgressEvent:
        if state.waiting_for == "worker":
            waits_for_worker.set()
        return progress_of(state)

    monkeypatch.setattr("api.ingestions.streaming.progress_of", watched)
    workflow_id = await idle.start(text("a.md", PORTS))
    stream = asyncio.create_task(idle.http.get(f"/ingest/{workflow_id}/events"))
    await asyncio.wait_for(waits_for_worker.wait(), DEADLINE_S)
    async with idle.worker():
        events = parse_events((await asyncio.wait_for(stream, DEADLINE_S)).text)
    waits = [event[2]["waiting_for"] for event in events if event[1] == "progress"]
    assert "worker" in waits
    assert waits[-1] is None
    assert [event[0] for event in events] == sorted({event[0] for event in events})
