"""Questions on a real Temporal server, with a worker in process whose activities are scripted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from core.contracts.budget import Budget
from core.contracts.names import task_queue_of
from core.contracts.query import RerankInput
from core.settings import Settings
from tests.integration.api.calls import assert_problem, open_client
from tests.integration.api.questions.calls import (
    parse_events,
    stages_of,
    state_of,
    until,
    wait_for_stage,
    wait_until_closed,
)
from tests.integration.api.script import Script
from workflows.query import QueryWorkflow


async def test_a_question_from_start_to_end(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    asked = await api.post("/query", json=question)
    assert asked.status_code == 202
    handle = asked.json()
    workflow_id = handle["workflow_id"]
    assert workflow_id.startswith("query-i")
    assert (
        handle["status_url"] == asked.headers["Location"] == f"http://localhost/query/{workflow_id}"
    )
    assert handle["events_url"] == f"http://localhost/query/{workflow_id}/events"
    assert handle["temporal_ui_url"].startswith(
        f"http://ui/namespaces/default/workflows/{workflow_id}/"
    )
    state = await wait_until_closed(api, workflow_id)
    assert state["status"] == "completed"
    assert [(s["name"], s["status"], s["attempt"]) for s in state["stages"]] == [
        ("preprocess", "completed", 1),
        ("retrieve", "completed", 1),
        ("rerank", "completed", 1),
        ("answer", "completed", 1),
    ]
    assert state["result"]["answer"] == "alpha"
    assert state["result"]["position"] == 1
    assert state["error"] is None


async def test_waiting_for_the_result(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    answered = await api.post("/query?wait_s=20", json=question)
    assert answered.status_code == 200
    assert answered.json()["answer"] == "alpha"
    assert answered.json()["citations"][0]["quote"] == "alpha"
    assert answered.json()["workflow_id"]
    script.gate.clear()
    late = await api.post("/query?wait_s=0.2", json=question)
    assert late.status_code == 202
    assert "answer" not in late.json()


async def test_a_budget_reaches_the_stages_and_a_rerun(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    budget = {"calls": 5, "tokens": 100}
    asked = await api.post("/query?wait_s=60", json={**question, "budget": budget})
    assert asked.json()["usage"] == {
        "input_tokens": 0,
        "output_tokens": 0,
        "search_units": 0,
        "calls": 0,
    }
    assert script.reranked is not None
    assert script.reranked.budget == Budget(calls=5, tokens=100)
    script.reranked = None
    again = await api.post(f"/query/{asked.json()['workflow_id']}/rerun", json={"from": "rerank"})
    await wait_until_closed(api, again.json()["workflow_id"])
    reranked: RerankInput | None = script.reranked
    assert reranked is not None
    assert reranked.budget == Budget(calls=5, tokens=100)


async def test_while_it_runs_and_is_cancelled(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    script.gate.clear()
    workflow_id = (await api.post("/query", json=question)).json()["workflow_id"]
    state = await wait_for_stage(api, workflow_id, "rerank")
    assert state["status"] == "running"
    assert state["result"]["hits"][0]["chunk_id"] == "a"
    feedback = {"rating": 1, "comment": "Good so far."}
    assert (await api.post(f"/query/{workflow_id}/feedback", json=feedback)).status_code == 202
    assert (await api.post(f"/query/{workflow_id}/cancel")).status_code == 202
    state = await wait_until_closed(api, workflow_id)
    assert (state["status"], state["result"]) == ("cancelled", None)
    assert state["feedback"] == [feedback]
    assert (await api.post(f"/query/{workflow_id}/cancel")).status_code == 202
    last = parse_events((await api.get(f"/query/{workflow_id}/events")).text)[-1]
    assert (last[1], last[2]["status"]) == ("error", "cancelled")


async def test_feedback_before_and_after_it_has_closed(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    script.gate.clear()
    workflow_id = (await api.post("/query", json=question)).json()["workflow_id"]
    path = f"/query/{workflow_id}/feedback"
    await wait_for_stage(api, workflow_id, "rerank")
    early = {"rating": 0, "comment": "Slow."}
    assert (await api.post(path, json=early)).status_code == 202
    script.gate.set()
    assert (await wait_until_closed(api, workflow_id))["feedback"] == [early]

    late, last = {"rating": 1, "comment": "But right."}, {"rating": -1, "comment": None}
    headers = {"Idempotency-Key": workflow_id}
    given = await api.post(path, json=late, headers=headers)
    again = await api.post(path, json=late, headers=headers)
    await api.post(path, json=last)
    assert (given.status_code, given.json()) == (202, {"workflow_id": workflow_id})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Nalanda-Position"] == given.headers["Nalanda-Position"]
    assert_problem(await api.post(path, json=last, headers=headers), 422, "/Idempotency-Key")

    read = await api.get(f"/query/{workflow_id}")
    assert read.json()["feedback"] == [early, late, last]
    assert int(read.headers["Nalanda-Position"]) == int(given.headers["Nalanda-Position"]) + 1


async def test_a_question_that_failed(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, settings: Settings
) -> None:
    script.fault = ApplicationError("The key is wrong.", non_retryable=True)
    asked = await api.post("/query?wait_s=20", json=question)
    assert asked.status_code == 202
    state = await wait_until_closed(api, asked.json()["workflow_id"])
    assert state["status"] == "failed"
    assert state["error"] == "The key is wrong."
    assert state["stages"][0]["status"] == "failed"


async def test_a_question_that_ran_out_of_time(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    script.fault = RuntimeError("try again")
    asked = await api.post("/query", json={**question, "deadline_s": 0.5})
    state = await wait_until_closed(api, asked.json()["workflow_id"])
    assert state["status"] == "timed_out"
    assert state["error"]


async def test_a_stage_that_is_tried_again_says_why(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    script.fault = ApplicationError("Busy.", next_retry_delay=timedelta(minutes=30))
    workflow_id = (await api.post("/query", json=question)).json()["workflow_id"]

    async def last_failure() -> Any:
        return next((s["last_failure"] for s in await stages_of(api, workflow_id)), None)

    await until(last_failure, "Busy.")
    [stage, *others] = await stages_of(api, workflow_id)
    assert (stage["status"], stage["attempt"]) == ("running", 2)
    left = datetime.fromisoformat(stage["next_attempt_at"]) - datetime.now(UTC)
    assert timedelta(minutes=20) < left <= timedelta(minutes=30)
    assert all(other["last_failure"] is other["next_attempt_at"] is None for other in others)
    assert (await state_of(api, workflow_id))["waiting_for"] is None
    await api.post(f"/query/{workflow_id}/cancel")
    assert (await wait_until_closed(api, workflow_id))["stages"][0]["next_attempt_at"] is None


async def test_events_go_on_where_the_reader_was(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    asked = await api.post("/query", json=question)
    path = f"/query/{asked.json()['workflow_id']}/events"
    live = await api.get(path)
    assert live.headers["Content-Type"].startswith("text/event-stream")
    events = parse_events(live.text)
    names = [(name, content.get("name")) for _, name, content in events]
    assert names == [
        ("stage", "preprocess"),
        ("stage", "preprocess"),
        ("stage", "retrieve"),
        ("stage", "retrieve"),
        ("hits", None),
        ("stage", "rerank"),
        ("stage", "rerank"),
        ("stage", "answer"),
        ("stage", "answer"),
        ("citation", None),
        ("result", None),
    ]
    ids = [number for number, _, _ in events]
    assert ids == sorted(set(ids))
    assert parse_events((await api.get(path)).text) == events
    for place, number in enumerate(ids[:-1]):
        rest = await api.get(path, headers={"Last-Event-ID": str(number)})
        assert parse_events(rest.text) == events[place + 1 :]
    done = await api.get(path, headers={"Last-Event-ID": str(ids[-1])})
    assert done.status_code == 204


async def test_a_key_makes_it_the_same_question(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    headers = {"Idempotency-Key": script_key(api)}
    first = await api.post("/query?wait_s=20", json=question, headers=headers)
    assert first.status_code == 200
    again = await api.post("/query", json=question, headers=headers)
    assert again.status_code == 202
    assert again.headers["Idempotent-Replayed"] == "true"
    for name in ("workflow_id", "run_id"):
        assert again.json()[name] == first.json()[name]
    other = await api.post("/query", json={**question, "k": 3}, headers=headers)
    assert_problem(other, 422, "/Idempotency-Key")


def script_key(api: httpx.AsyncClient) -> str:
    """Return a unique key, since the server outlives the tests."""
    return f"key-{id(api)}"


async def test_the_state_that_needs_no_worker(
    api: httpx.AsyncClient, question: dict[str, Any], settings: Settings, temporal: Client
) -> None:
    waiting = (await api.post("/query", json=question)).json()["workflow_id"]
    state = (await api.get(f"/query/{waiting}")).json()
    assert (state["status"], state["stages"], state["result"]) == ("running", [], None)
    assert state["waiting_for"] == "worker"
    said = (await api.get("/readyz")).json()["checks"]["worker"]
    assert said == f"none polls the task queue {settings.task_queue}: questions wait for one"
    script = Script()
    async with Worker(
        temporal,
        task_queue=task_queue_of(None, settings.task_queue),
        workflows=[QueryWorkflow],
        activities=[script.preprocess, script.retrieve, script.rerank, script.answer],
    ):
        assert (await wait_until_closed(api, waiting))["status"] == "completed"
    state = (await api.get(f"/query/{waiting}")).json()
    assert (state["status"], state["stage"], state["stages"]) == ("completed", "answer", [])
    assert state["waiting_for"] is None
    assert (await api.get("/readyz")).json()["checks"]["worker"] == "ok"
    assert state["result"]["answer"] == "alpha"
    last = parse_events((await api.get(f"/query/{waiting}/events")).text)[-1]
    assert (last[1], last[2]["answer"]) == ("result", "alpha")


async def test_it_is_found_once_temporal_is_there(
    settings: Settings, temporal_address: str
) -> None:
    async with open_client(settings) as api:
        checks = (await api.get("/readyz")).json()["checks"]
        assert checks["temporal"] == "ok"


async def test_no_stage_runs_once_it_was_terminated(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, temporal: Client
) -> None:
    script.gate.clear()
    workflow_id = (await api.post("/query", json=question)).json()["workflow_id"]
    await wait_for_stage(api, workflow_id, "rerank")
    await temporal.get_workflow_handle(workflow_id).terminate(reason="Not wanted.")
    state = await wait_until_closed(api, workflow_id)
    assert state["status"] == "failed"
    assert state["error"] == "The question was terminated in Temporal: Not wanted."
    assert [s["status"] for s in state["stages"]] == ["completed", "completed", "failed", "pending"]
    assert state["stages"][2]["ended_at"] is not None
    events = parse_events((await api.get(f"/query/{workflow_id}/events")).text)
    assert events[-2][2]["status"] == "failed"
    assert (events[-1][1], events[-1][2]["detail"]) == ("error", state["error"])
