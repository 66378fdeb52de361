"""Turns: several ingestions at once, and pauses between the files of one."""

from typing import Any

import pytest

from tests.integration.api.ingestions.stack import PORTS, Stack, counts, text

FILES = 120


@pytest.fixture
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.ingest_turn.TURN_S", 0.05)


def many(name: str) -> list[dict[str, Any]]:
    return [text(f"{name}/{number}.md", PORTS) for number in range(FILES)]


async def test_a_small_ingestion_does_not_wait_for_large_ones(
    idle: Stack, short_turns: None
) -> None:
    large = [await idle.start(*many(name)) for name in ("a", "b", "c", "d")]
    small = await idle.start(text("small.md", PORTS))
    async with idle.worker():
        assert counts(await idle.closed(small)) == {"added": 1}
        unfinished = [await idle.state(workflow_id) for workflow_id in large]
        assert "running" in {state["status"] for state in unfinished}
        ended = [await idle.closed(workflow_id) for workflow_id in large]
    assert [counts(state) for state in ended] == [{"added": FILES}] * len(large)


async def test_a_pause_takes_effect_after_a_turn(idle: Stack, short_turns: None) -> None:
    async with idle.worker():
        workflow_id = await idle.start(*many("a"))
        await idle.until(workflow_id, lambda state: state["files"]["added"] > 0)
        await idle.http.post(f"/ingest/{workflow_id}/pause")
        paused = await idle.until(workflow_id, lambda state: state["status"] == "paused")
        assert paused["files"]["added"] < FILES
        await idle.http.post(f"/ingest/{workflow_id}/resume")
        assert counts(await idle.closed(workflow_id)) == {"added": FILES}
