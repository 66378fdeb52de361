"""Questions on a real Temporal server, with a worker in process whose activities are scripted."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from core.contracts.names import task_queue_of
from core.settings import Settings
from tests.integration.api.calls import assert_problem, open_client
from tests.integration.api.script import Script
from workflows.query import QueryWorkflow

DEADLINE_S = 20.0


@pytest.fixture
def settings(settings: Settings, temporal_address: str, request: pytest.FixtureRequest) -> Settings:
    return settings.model_copy(
        update={
            "temporal_address": temporal_address,
            "temporal_ui_url": "http://ui/",
            "task_queue": request.node.name,
        }
    )


@pytest.fixture
async def script(settings: Settings, temporal: Client) -> AsyncIterator[Script]:
    script = Script()
    async with script.worker(temporal, task_queue_of(None, settings.task_queue)):
        yield script
        script.gate.set()


@pytest.fixture
async def question(api: httpx.AsyncClient) -> dict[str, Any]:
    """Return a question for a library `texts` that has a model."""
    await api.put("/libraries/texts", json={"name": "t", "embedding_model": "wordllama-256"})
    return {"library": "t", "query": "What is alpha?"}


async def until(observe: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while await observe() != wanted:  # noqa: ASYNC110  # it is in another process
            await asyncio.sleep(0.05)


async def state_of(api: httpx.AsyncClient, workflow_id: str) -> dict[str, Any]:
    state: dict[str, Any] = (await api.get(f"/query/{workflow_id}")).json()
    return state


async def closed(api: httpx.AsyncClient, workflow_id: str) -> dict[str, Any]:
    async def is_closed() -> bool:
        state = await state_of(api, workflow_id)
        return bool(state["status"] != "running")

    await until(is_closed, True)
    return await state_of(api, workflow_id)


async def in_stage(api: httpx.AsyncClient, workflow_id: str, stage: str) -> dict[str, Any]:
    async def stage_now() -> Any:
        return (await state_of(api, workflow_id))["stage"]

    await until(stage_now, stage)
    return await state_of(api, workflow_id)


def parsed(stream: str) -> list[tuple[int, str, Any]]:
    events = []
    for block in stream.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[0] != ":")
        if fields:
            events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return events


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
    state = await closed(api, workflow_id)
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


async def test_while_it_runs_and_is_cancelled(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    script.gate.clear()
    workflow_id = (await api.post("/query", json=question)).json()["workflow_id"]
    state = await in_stage(api, workflow_id, "rerank")
    assert state["status"] == "running"
    assert state["result"]["hits"][0]["chunk_id"] == "a"
    feedback = {"rating": 1, "comment": "Good so far."}
    assert (await api.post(f"/query/{workflow_id}/feedback", json=feedback)).status_code == 202
    assert (await api.post(f"/query/{workflow_id}/cancel")).status_code == 202
    state = await closed(api, workflow_id)
    assert (state["status"], state["result"]) == ("cancelled", None)
    assert state["feedback"] == [feedback]
    assert (await api.post(f"/query/{workflow_id}/cancel")).status_code == 202
    last = parsed((await api.get(f"/query/{workflow_id}/events")).text)[-1]
    assert (last[1], last[2]["status"]) == ("error", "cancelled")


async def test_feedback_before_and_after_it_has_closed(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    script.gate.clear()
    workflow_id = (await api.post("/query", json=question)).json()["workflow_id"]
    path = f"/query/{workflow_id}/feedback"
    await in_stage(api, workflow_id, "rerank")
    early = {"rating": 0, "comment": "Slow."}
    assert (await api.post(path, json=early)).status_code == 202
    script.gate.set()
    assert (await closed(api, workflow_id))["feedback"] == [early]

    late, last = {"rating": 1, "comment": "But right."}, {"rating": -1, "comment": None}
    headers = {"Idempotency-Key": workflow_id}
    given = await api.post(path, json=late, headers=headers)
    again = await api.post(path, json=late, headers=headers)
    await api.post(path, json=last)
    assert (given.status_code, given.json()) == (202, {"workflow_id": workflow_id})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Nalanda-Position"] == given.headers["Nalanda-Position"]
    assert_problem(await api.post(path, json=last, headers=headers), 422, "/Idempotency-Key")

    told = await api.get(f"/query/{workflow_id}")
    assert told.json()["feedback"] == [early, late, last]
    assert int(told.headers["Nalanda-Position"]) == int(given.headers["Nalanda-Position"]) + 1


async def test_a_question_that_failed(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, settings: Settings
) -> None:
    script.fault = ApplicationError("The key is wrong.", non_retryable=True)
    asked = await api.post("/query?wait_s=20", json=question)
    assert asked.status_code == 202
    state = await closed(api, asked.json()["workflow_id"])
    assert state["status"] == "failed"
    assert state["error"] == "The key is wrong."
    assert state["stages"][0]["status"] == "failed"


async def test_a_question_that_ran_out_of_time(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    script.fault = RuntimeError("try again")
    asked = await api.post("/query", json={**question, "deadline_s": 0.5})
    state = await closed(api, asked.json()["workflow_id"])
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
    assert (await closed(api, workflow_id))["stages"][0]["next_attempt_at"] is None


async def stages_of(api: httpx.AsyncClient, workflow_id: str) -> list[dict[str, Any]]:
    stages: list[dict[str, Any]] = (await state_of(api, workflow_id))["stages"]
    return stages


async def test_events_go_on_where_the_reader_was(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    asked = await api.post("/query", json=question)
    path = f"/query/{asked.json()['workflow_id']}/events"
    live = await api.get(path)
    assert live.headers["Content-Type"].startswith("text/event-stream")
    events = parsed(live.text)
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
    assert parsed((await api.get(path)).text) == events
    for place, number in enumerate(ids[:-1]):
        rest = await api.get(path, headers={"Last-Event-ID": str(number)})
        assert parsed(rest.text) == events[place + 1 :]
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


async def test_what_can_be_told_without_a_worker(
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
        assert (await closed(api, waiting))["status"] == "completed"
    state = (await api.get(f"/query/{waiting}")).json()
    assert (state["status"], state["stage"], state["stages"]) == ("completed", "answer", [])
    assert state["waiting_for"] is None
    assert (await api.get("/readyz")).json()["checks"]["worker"] == "ok"
    assert state["result"]["answer"] == "alpha"
    last = parsed((await api.get(f"/query/{waiting}/events")).text)[-1]
    assert (last[1], last[2]["answer"]) == ("result", "alpha")


async def test_listing(api: httpx.AsyncClient, question: dict[str, Any], script: Script) -> None:
    await api.put("/libraries/listed", json={"name": "x", "embedding_model": "wordllama-256"})
    ids = []
    for _ in range(3):
        asked = await api.post("/query?wait_s=20", json={**question, "library": "listed"})
        ids.append(asked.json()["workflow_id"])
    script.gate.clear()
    running = (await api.post("/query", json={**question, "library": "x"})).json()["workflow_id"]

    async def listed(**params: Any) -> list[str]:
        seen = []
        cursor: dict[str, str] = {}
        while True:
            page = (await api.get("/query", params={"limit": 2, **params, **cursor})).json()
            seen += [item["workflow_id"] for item in page["items"]]
            if page["next_cursor"] is None:
                return seen
            cursor = {"cursor": page["next_cursor"]}

    await until(lambda: listed(library="x"), [running, *reversed(ids)])
    await until(lambda: listed(library="listed", status="completed"), list(reversed(ids)))
    assert await listed(library="x", status="running") == [running]
    assert await listed(library="x", until="2020-01-01T00:00:00Z") == []
    assert len(await listed(library="x", since="2020-01-01T00:00:00+01:00")) == 4
    item = (await api.get("/query", params={"library": "x", "status": "running"})).json()["items"][
        0
    ]
    assert (item["library"], item["status"], item["ended_at"]) == ("listed", "running", None)


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"status": "asleep"}, "/status"),
        ({"since": "yesterday"}, "/since"),
        ({"since": "2026-01-01T00:00:00"}, "/since"),
        ({"limit": "0"}, "/limit"),
        ({"cursor": "x"}, "/cursor"),
    ],
)
async def test_listing_parameters(
    api: httpx.AsyncClient, params: dict[str, str], pointer: str
) -> None:
    assert_problem(await api.get("/query", params=params), 422, pointer)


async def test_what_is_no_question(
    api: httpx.AsyncClient, temporal: Client, settings: Settings, script: Script
) -> None:
    other = f"other-{id(api)}"
    queue = task_queue_of(None, settings.task_queue)
    await temporal.execute_workflow("Other", id=other, task_queue=queue)
    for workflow_id in ("query-none", other):
        assert_problem(await api.get(f"/query/{workflow_id}"), 404)
        assert_problem(await api.get(f"/query/{workflow_id}/events"), 404)
        assert_problem(await api.post(f"/query/{workflow_id}/cancel"), 404)
        feedback = await api.post(f"/query/{workflow_id}/feedback", json={"rating": 0})
        assert_problem(feedback, 404)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"query": ""}, "/query"),
        ({"query": " \n"}, "/query"),
        ({"query": None}, "/query"),
        ({"library": 1}, "/library"),
        ({"library": "vectors"}, "/library"),
        ({"k": 0}, "/k"),
        ({"top_n": "5"}, "/top_n"),
        ({"mode": "psychic"}, "/mode"),
        ({"review": True}, "/review"),
        ({"answer": "yes"}, "/answer"),
        ({"deadline_s": 0}, "/deadline_s"),
        ({"filter": {"field": "n", "op": "near", "value": 1}}, "/filter/op"),
        ({"question": "x"}, "/question"),
    ],
)
async def test_a_question_that_breaks_a_rule(
    api: httpx.AsyncClient, question: dict[str, Any], change: dict[str, Any], pointer: str
) -> None:
    chunks = [{"text": "t", "embedding": [1, 0]}]
    await api.put("/libraries/vectors", json={"name": "vectors"})
    await api.post("/libraries/vectors/documents", json={"chunks": chunks})
    assert_problem(await api.post("/query", json={**question, **change}), 422, pointer)


async def test_there_is_no_question_without_a_library(api: httpx.AsyncClient) -> None:
    assert_problem(await api.post("/query", json={"library": "none", "query": "x"}), 404)


@pytest.mark.parametrize("body", [{}, {"rating": 2}, {"rating": 0.5}, {"rating": True}])
async def test_feedback_that_breaks_a_rule(api: httpx.AsyncClient, body: object) -> None:
    assert_problem(await api.post("/query/q/feedback", json=body), 422, "/rating")


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
    await in_stage(api, workflow_id, "rerank")
    await temporal.get_workflow_handle(workflow_id).terminate(reason="Not wanted.")
    state = await closed(api, workflow_id)
    assert state["status"] == "failed"
    assert state["error"] == "The question was terminated in Temporal: Not wanted."
    assert [s["status"] for s in state["stages"]] == ["completed", "completed", "failed", "pending"]
    assert state["stages"][2]["ended_at"] is not None
    events = parsed((await api.get(f"/query/{workflow_id}/events")).text)
    assert events[-2][2]["status"] == "failed"
    assert (events[-1][1], events[-1][2]["detail"]) == ("error", state["error"])


async def test_words_need_no_model(api: httpx.AsyncClient, script: Script) -> None:
    chunks = [{"text": "t", "embedding": [1, 0]}]
    await api.put("/libraries/own", json={"name": "own"})
    await api.post("/libraries/own/documents", json={"chunks": chunks})
    question = {"library": "own", "query": "What?"}
    answered = await api.post("/query?wait_s=20", json={**question, "mode": "lexical"})
    assert (answered.status_code, answered.json()["answer"]) == (200, "alpha")
    refused = await api.post("/query", json={**question, "mode": "hybrid"})
    assert_problem(refused, 422, "/library")
    assert "mode lexical" in refused.json()["detail"]


@pytest.mark.parametrize("blank", ["", " ", "\n\t", "\u3000"])
async def test_a_blank_question_has_a_sentence(
    api: httpx.AsyncClient, question: dict[str, Any], blank: str
) -> None:
    refused = await api.post("/query", json={**question, "query": blank})
    assert_problem(refused, 422, "/query")
    assert refused.json()["errors"][0]["detail"] == "The question must not be blank."


async def test_a_question_has_its_text_and_library(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    long = {**question, "query": "x" * 2_000}
    workflow_id = (await api.post("/query?wait_s=20", json=long)).json()["workflow_id"]
    state = await state_of(api, workflow_id)
    assert (state["library"], state["query"]) == ("texts", "x" * 1_000)

    async def listed() -> Any:
        items = (await api.get("/query")).json()["items"]
        return [(item["library"], item["query"]) for item in items]

    await until(listed, [("texts", "x" * 1_000)])
