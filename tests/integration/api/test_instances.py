"""Two instances with default settings on one Temporal server, each with its own worker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from core.contracts.names import SHARED_TASK_QUEUE, task_queue_of
from core.contracts.query import QueryRequest
from core.settings import Settings
from tests.integration.api.calls import assert_problem, open_client
from tests.integration.api.script import Script
from workflows.query import QueryWorkflow
from workflows.search_attributes import LIBRARY

DEADLINE_S = 20.0
LIBRARY_BODY = {"name": "papers", "embedding_model": "wordllama-256"}
QUESTION = {"library": "papers", "query": "How deep?"}


async def until(observe: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    """Wait until the observation is as wanted, since visibility lags behind."""
    async with asyncio.timeout(DEADLINE_S):
        while await observe() != wanted:  # noqa: ASYNC110  # it is in another process
            await asyncio.sleep(0.05)


@dataclass
class Instance:
    api: httpx.AsyncClient
    script: Script

    async def ask(self, **headers: str) -> dict[str, Any]:
        answered = await self.api.post("/query?wait_s=20", json=QUESTION, headers=headers)
        assert answered.status_code == 200, answered.text
        handle: dict[str, Any] = answered.json()
        return handle

    async def listed(self) -> set[str]:
        page = (await self.api.get("/query")).json()
        return {item["workflow_id"] for item in page["items"]}


async def _instance(directory: Path, address: str, temporal: Client) -> AsyncIterator[Instance]:
    settings = Settings(data_dir=directory, temporal_address=address, provider="local")
    script = Script()
    async with open_client(settings) as api:
        await api.put("/libraries/papers", json=LIBRARY_BODY)
        instance_id = (await api.get("/version")).json()["instance_id"]
        async with script.worker(temporal, task_queue_of(instance_id)):
            yield Instance(api, script)


@pytest.fixture
async def one(tmp_path: Path, temporal_address: str, temporal: Client) -> AsyncIterator[Instance]:
    async for instance in _instance(tmp_path / "one", temporal_address, temporal):
        yield instance


@pytest.fixture
async def other(tmp_path: Path, temporal_address: str, temporal: Client) -> AsyncIterator[Instance]:
    async for instance in _instance(tmp_path / "other", temporal_address, temporal):
        yield instance


async def test_each_has_its_own_questions(one: Instance, other: Instance) -> None:
    """The same key, library and question give one question per instance."""
    key = {"Idempotency-Key": f"key-{id(one)}"}
    asked = [(await instance.ask(**key))["workflow_id"] for instance in (one, other)]
    assert asked[0] != asked[1]
    for instance, mine in zip((one, other), asked, strict=True):
        await until(instance.listed, {mine})


async def test_the_question_of_another_is_not_found(one: Instance, other: Instance) -> None:
    path = f"/query/{(await other.ask())['workflow_id']}"
    assert_problem(await one.api.get(path), 404)
    assert_problem(await one.api.get(f"{path}/events"), 404)
    assert_problem(await one.api.post(f"{path}/cancel"), 404)
    assert_problem(await one.api.post(f"{path}/feedback", json={"rating": 1}), 404)
    assert (await other.api.get(path)).status_code == 200


async def test_a_call_for_another_instance_is_misdirected(one: Instance) -> None:
    own = (await one.api.get("/version")).json()["instance_id"]
    right = await one.api.get("/libraries", headers={"Nalanda-Instance": own})
    assert right.status_code == 200
    wrong = await one.api.get("/libraries", headers={"Nalanda-Instance": "f" * 32})
    assert_problem(wrong, 421)
    assert own[:12] in wrong.json()["detail"]


async def test_a_question_from_before_instances_is_its_librarys(
    one: Instance, other: Instance, temporal: Client
) -> None:
    await one.api.put(f"/libraries/old-{id(one)}", json={"name": "old"})
    handle = await temporal.start_workflow(
        QueryWorkflow.run,
        QueryRequest(library_id=f"old-{id(one)}", query="How?", embedding_model="m"),
        id=f"query-{id(one)}",
        task_queue=SHARED_TASK_QUEUE,
        search_attributes=TypedSearchAttributes([SearchAttributePair(LIBRARY, f"old-{id(one)}")]),
    )
    assert (await one.api.get(f"/query/{handle.id}")).json()["status"] == "running"
    assert_problem(await other.api.get(f"/query/{handle.id}"), 404)
    await until(one.listed, {handle.id})
    assert handle.id not in await other.listed()
    await handle.terminate()
