"""Streams that are pushed: stages as they come, and the tokens that a worker sends."""

import asyncio
from typing import Any

import httpx
import pytest

from api.app import App
from api.questions.ownership import ownership_of
from api.questions.reading import read_question
from api.questions.streaming import EventStreams
from tests.integration.api.calls import assert_problem
from tests.integration.api.questions.calls import (
    DEADLINE_S,
    parse_events,
    wait_for_stage,
    wait_until_closed,
)
from tests.integration.api.script import Script


async def ask(api: httpx.AsyncClient, question: dict[str, Any], script: Script) -> str:
    """Return a question whose answer is being written."""
    script.written.clear()
    workflow_id: str = (await api.post("/query", json=question)).json()["workflow_id"]
    await wait_for_stage(api, workflow_id, "answer")
    return workflow_id


async def write(api: httpx.AsyncClient, workflow_id: str, series: int, *texts: str) -> None:
    body = {"series": series, "before": 0, "texts": texts}
    taken = await api.post(f"/query/{workflow_id}/tokens", json=body)
    assert taken.json() == {"taken": len(texts)}


async def test_tokens_are_pushed_while_the_answer_is_written(
    app: App, api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    workflow_id = await ask(api, question, script)
    core, ownership = app.state.core, ownership_of(app.state.core)
    state = await read_question(app.state.temporal, ownership, core.archive, workflow_id)
    streams = EventStreams(app.state.temporal, ownership, core.archive, app.state.tokens)
    names: list[str] = []
    async with asyncio.timeout(DEADLINE_S):
        async for event in streams.stream(state, 23):
            ((_, name, data),) = parse_events(event.decode())
            names.append(name)
            if name == "stage" and data["name"] == "answer" and data["status"] == "running":
                await write(api, workflow_id, 0, "al")
            if name == "token":
                assert data == {"text": "al"}
                script.written.set()
    assert names == ["stage", "stage", "stage", "token", "stage", "citation", "result"]


async def test_a_client_resumes_after_any_event(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    workflow_id = await ask(api, question, script)
    path = f"/query/{workflow_id}/events"
    await write(api, workflow_id, 0, "al", "p")
    await write(api, workflow_id, 1, "al", "pha")
    script.written.set()
    await wait_until_closed(api, workflow_id)
    events = parse_events((await api.get(path)).text)
    numbers = [number for number, _, _ in events]
    assert numbers == sorted(set(numbers))
    assert [name for _, name, _ in events[-6:]] == [
        "retry",
        "token",
        "token",
        "stage",
        "citation",
        "result",
    ]
    assert numbers[-1] == 1_000_000
    for place, number in enumerate(numbers[:-1]):
        rest = await api.get(path, headers={"Last-Event-ID": str(number)})
        assert parse_events(rest.text) == events[place + 1 :]
    seen_before = await api.get(path, headers={"Last-Event-ID": "1002"})
    assert parse_events(seen_before.text) == events[-6:]


async def test_a_client_without_tokens_has_the_ids_of_old(
    app: App, api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    workflow_id = await ask(api, question, script)
    script.written.set()
    await wait_until_closed(api, workflow_id)
    events = parse_events((await api.get(f"/query/{workflow_id}/events")).text)
    assert [number for number, _, _ in events][-4:] == [41, 42, 100, 1_000_000]
    await write(api, workflow_id, 0, "late")
    rest = await api.get(f"/query/{workflow_id}/events", headers={"Last-Event-ID": "42"})
    assert [name for _, name, _ in parse_events(rest.text)] == ["citation", "result"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"series": -1}, "/series"),
        ({"before": None}, "/before"),
        ({"texts": "x"}, "/texts"),
        ({"texts": ["x"] * 1001}, "/texts"),
        ({"texts": ["x" * 10_001]}, "/texts/0"),
    ],
)
async def test_what_are_no_tokens(
    api: httpx.AsyncClient, change: dict[str, Any], pointer: str
) -> None:
    body = {"series": 0, "before": 0, "texts": [], **change}
    assert_problem(await api.post("/query/q/tokens", json=body), 422, pointer)
