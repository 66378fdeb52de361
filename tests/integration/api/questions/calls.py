"""Calls about questions, and waits for their states."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

DEADLINE_S = 60.0


async def until(
    observe: Callable[[], Awaitable[Any]], wanted: Any, within_s: float = DEADLINE_S
) -> None:
    async with asyncio.timeout(within_s):
        while await observe() != wanted:  # noqa: ASYNC110  # it is in another process
            await asyncio.sleep(0.05)


async def state_of(api: httpx.AsyncClient, workflow_id: str) -> dict[str, Any]:
    state: dict[str, Any] = (await api.get(f"/query/{workflow_id}")).json()
    return state


async def wait_until_closed(api: httpx.AsyncClient, workflow_id: str) -> dict[str, Any]:
    async def is_closed() -> bool:
        state = await state_of(api, workflow_id)
        return bool(state["status"] != "running")

    await until(is_closed, True)
    return await state_of(api, workflow_id)


async def wait_for_stage(api: httpx.AsyncClient, workflow_id: str, stage: str) -> dict[str, Any]:
    async def stage_now() -> Any:
        return (await state_of(api, workflow_id))["stage"]

    await until(stage_now, stage)
    return await state_of(api, workflow_id)


async def ask(
    api: httpx.AsyncClient, question: dict[str, Any], talk: str, **more: Any
) -> httpx.Response:
    """Ask the question as the next turn of a conversation, and wait for its result."""
    body = {**question, "conversation_id": talk, **more}
    return await api.post("/query", params={"wait_s": 30}, json=body)


async def turns_of(api: httpx.AsyncClient, talk: str) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = (await api.get(f"/conversations/{talk}")).json()["turns"]
    return turns


def parse_events(stream: str) -> list[tuple[int, str, Any]]:
    events = []
    for block in stream.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[0] != ":")
        if fields:
            events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return events


async def stages_of(api: httpx.AsyncClient, workflow_id: str) -> list[dict[str, Any]]:
    stages: list[dict[str, Any]] = (await state_of(api, workflow_id))["stages"]
    return stages
