"""Finished questions after Temporal has forgotten them, and their deletion."""

from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from api.app import App
from api.questions.archiving import Archiver
from api.questions.ownership import ownership_of
from core.settings import Settings
from tests.integration.api.calls import assert_problem
from tests.integration.api.questions.calls import (
    parse_events,
    state_of,
    until,
    wait_for_stage,
    wait_until_closed,
)
from tests.integration.api.script import Script

FORGETTING_S = 120.0


async def ask(api: httpx.AsyncClient, question: dict[str, Any], **more: Any) -> str:
    asked = await api.post("/query?wait_s=20", json={**question, **more})
    assert asked.status_code == 200
    workflow_id: str = asked.json()["workflow_id"]
    return workflow_id


async def archive(app: App, *workflow_ids: str) -> None:
    """Archive until all of these questions are in the archive."""
    core = app.state.core
    archiver = Archiver(
        app.state.temporal, core.archive, lambda: ownership_of(core), timedelta(days=1)
    )

    async def missing() -> list[str]:
        await archiver.archive_closed()
        left: list[str] = core.archive.missing(list(workflow_ids))
        return left

    await until(missing, [])


async def let_temporal_forget(temporal: Client, workflow_id: str) -> None:
    """Delete the workflow, as the end of the cluster's retention does."""
    execution = WorkflowExecution(workflow_id=workflow_id)
    await temporal.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(namespace=temporal.namespace, workflow_execution=execution)
    )

    await until_forgotten(temporal, workflow_id)


async def until_forgotten(temporal: Client, workflow_id: str) -> None:
    """Wait until the cluster has deleted a history, which it does in the background."""

    async def is_known() -> bool:
        try:
            await temporal.get_workflow_handle(workflow_id).describe()
        except RPCError:
            return False
        return True

    await until(is_known, False, FORGETTING_S)


async def test_a_question_that_temporal_has_forgotten(
    app: App, api: httpx.AsyncClient, question: dict[str, Any], script: Script, temporal: Client
) -> None:
    workflow_id = await ask(api, question)
    path = f"/query/{workflow_id}"
    before = await state_of(api, workflow_id)
    events = (await api.get(f"{path}/events")).text
    await archive(app, workflow_id)
    await let_temporal_forget(temporal, workflow_id)

    assert await state_of(api, workflow_id) == before
    assert (await api.get(f"{path}/events")).text == events
    rest = await api.get(f"{path}/events", headers={"Last-Event-ID": "42"})
    assert [name for _, name, _ in parse_events(rest.text)] == ["citation", "result"]
    assert_problem(await api.post(f"{path}/cancel"), 409)
    assert_problem(await api.post(f"{path}/review", json={"decision": "approve"}), 409)
    assert_problem(await api.post(f"{path}/adjust", json={"k": 3}), 409)
    feedback = {"rating": 1, "comment": None}
    assert (await api.post(f"{path}/feedback", json=feedback)).status_code == 202
    assert (await state_of(api, workflow_id))["feedback"] == [feedback]


async def test_the_listing_goes_on_in_the_archive(
    app: App, api: httpx.AsyncClient, question: dict[str, Any], script: Script, temporal: Client
) -> None:
    old = [await ask(api, question) for _ in range(3)]
    await archive(app, *old)
    for workflow_id in old:
        await let_temporal_forget(temporal, workflow_id)
    new = [await ask(api, question) for _ in range(2)]
    script.gate.clear()
    running = (await api.post("/query", json=question)).json()["workflow_id"]
    await archive(app, *new)  # a question in both is listed once

    async def listed(limit: int, **params: Any) -> list[str]:
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await api.get("/query", params={"limit": limit, **params, **cursor})).json()
            seen += [item["workflow_id"] for item in page["items"]]
            if page["next_cursor"] is None:
                return seen
            cursor = {"cursor": page["next_cursor"]}

    expected = [running, *reversed(new), *reversed(old)]
    for limit in (1, 2, 3, 4, 100):
        await until(partial(listed, limit), expected)
    assert await listed(100, status="completed", library="t") == expected[1:]
    assert await listed(100, status="failed") == []
    assert await listed(100, until="2020-01-01T00:00:00Z") == []
    item = (await api.get("/query")).json()["items"][-1]
    assert (item["query"], item["library"], item["status"], item["stage"]) == (
        question["query"],
        "texts",
        "completed",
        "answer",
    )


@pytest.mark.parametrize("archived", [True, False])
async def test_a_deleted_question_is_gone(
    app: App,
    api: httpx.AsyncClient,
    question: dict[str, Any],
    script: Script,
    temporal: Client,
    *,
    archived: bool,
) -> None:
    workflow_id = await ask(api, question)
    path = f"/query/{workflow_id}"
    await api.post(f"{path}/feedback", json={"rating": 1, "comment": "Mine."})
    if archived:
        await archive(app, workflow_id)
    headers = {"Idempotency-Key": f"delete-{workflow_id}"}
    deleted = await api.delete(path, headers=headers)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert int(deleted.headers["Nalanda-Position"]) > 0
    for call in (api.get(path), api.get(f"{path}/events"), api.delete(path)):
        assert_problem(await call, 404)
    assert (await api.delete(path, headers=headers)).headers["Idempotent-Replayed"] == "true"
    assert (await api.get("/query")).json()["items"] == []
    await archive(app)
    assert (await api.get("/query")).json()["items"] == []
    assert app.state.core.feedback.of(workflow_id).value == []
    await until_forgotten(temporal, workflow_id)


async def test_only_a_closed_question_is_deleted(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    script.gate.clear()
    workflow_id = (await api.post("/query", json=question)).json()["workflow_id"]
    await wait_for_stage(api, workflow_id, "rerank")
    assert_problem(await api.delete(f"/query/{workflow_id}"), 409)
    await api.post(f"/query/{workflow_id}/cancel")
    assert (await wait_until_closed(api, workflow_id))["status"] == "cancelled"
    assert (await api.delete(f"/query/{workflow_id}")).status_code == 204
    assert_problem(await api.delete("/query/query-none"), 404)


async def test_without_temporal_a_question_is_read_from_the_archive(
    app: App,
    api: httpx.AsyncClient,
    question: dict[str, Any],
    script: Script,
    settings: Settings,
) -> None:
    workflow_id = await ask(api, question)
    before = await state_of(api, workflow_id)
    await archive(app, workflow_id)
    app.state.temporal = type(app.state.temporal)(
        settings.model_copy(update={"temporal_address": "127.0.0.1:1"})
    )
    assert await state_of(api, workflow_id) == before
    assert_problem(await api.delete(f"/query/{workflow_id}"), 503)
    assert_problem(await api.get("/query/query-none"), 503)


async def test_each_kind_of_end_is_archived(
    app: App, api: httpx.AsyncClient, question: dict[str, Any], script: Script, temporal: Client
) -> None:
    script.fault = RuntimeError("try again")
    late = (await api.post("/query", json={**question, "deadline_s": 0.3})).json()["workflow_id"]
    before = await wait_until_closed(api, late)
    assert before["status"] == "timed_out"
    await archive(app, late)
    await let_temporal_forget(temporal, late)
    assert await state_of(api, late) == before
