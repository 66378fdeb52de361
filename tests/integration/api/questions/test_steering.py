"""Reviews and adjustments over REST, on a real Temporal server."""

from typing import Any

import httpx
import pytest

from tests.integration.api.calls import assert_problem
from tests.integration.api.questions.calls import (
    parse_events,
    state_of,
    until,
    wait_for_stage,
    wait_until_closed,
)
from tests.integration.api.script import Script


async def ask_for_review(api: httpx.AsyncClient, question: dict[str, Any], **more: Any) -> str:
    """Return a question that waits for its review."""
    asked = await api.post("/query", json={**question, "review": True, **more})
    workflow_id: str = asked.json()["workflow_id"]

    async def waiting_for() -> Any:
        return (await state_of(api, workflow_id))["waiting_for"]

    await until(waiting_for, "review")
    return workflow_id


async def test_a_review(api: httpx.AsyncClient, question: dict[str, Any], script: Script) -> None:
    workflow_id = await ask_for_review(api, question)
    state = await state_of(api, workflow_id)
    assert (state["status"], state["stage"], state["result"]["answer"]) == (
        "running",
        "rerank",
        None,
    )
    (request,) = state["reviews"]
    assert [hit["chunk_id"] for hit in request["hits"]] == ["a"]

    path = f"/query/{workflow_id}/review"
    refused = await api.post(path, json={"decision": "approve", "drop": ["a", "b"]})
    assert_problem(refused, 422, "/drop/1")
    headers = {"Idempotency-Key": f"review-{workflow_id}"}
    given = await api.post(path, json={"decision": "approve", "pin": ["a"]}, headers=headers)
    assert given.status_code == 200
    assert given.json() == {
        "workflow_id": workflow_id,
        "query": "What is alpha?",
        "hits": request["hits"],
        "candidates": [],
        "position": request["position"],
    }
    state = await wait_until_closed(api, workflow_id)
    assert (state["status"], state["result"]["answer"]) == ("completed", "alpha")
    again = await api.post(path, json={"decision": "approve", "pin": ["a"]}, headers=headers)
    assert again.json() == given.json()
    assert_problem(await api.post(path, json={"decision": "approve"}), 409)
    events = parse_events((await api.get(f"/query/{workflow_id}/events")).text)
    assert [(number, name) for number, name, _ in events if name == "review"] == [(33, "review")]
    assert next(data for _, name, data in events if name == "review") == request
    numbers = [number for number, _, _ in events]
    assert numbers == sorted(set(numbers))


async def test_a_question_that_is_rejected(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    workflow_id = await ask_for_review(api, question)
    await api.post(f"/query/{workflow_id}/review", json={"decision": "reject"})
    state = await wait_until_closed(api, workflow_id)
    assert (state["status"], state["error"]) == ("failed", "The reviewer rejected what was found.")
    assert (state["result"], state["waiting_for"]) == (None, None)


async def test_a_review_that_comes_too_late(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    late = {**question, "review": True, "review_timeout_s": 0.2, "review_default": "approve"}
    workflow_id = (await api.post("/query", json=late)).json()["workflow_id"]
    state = await wait_until_closed(api, workflow_id)
    assert (state["status"], state["result"]["degraded"]) == ("completed", ["review"])
    refused = await api.post(f"/query/{workflow_id}/review", json={"decision": "approve"})
    assert_problem(refused, 409)


async def test_a_review_that_is_not_awaited(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    script.gate.clear()
    workflow_id = (await api.post("/query", json=question)).json()["workflow_id"]
    await wait_for_stage(api, workflow_id, "rerank")
    refused = await api.post(f"/query/{workflow_id}/review", json={"decision": "approve"})
    assert_problem(refused, 409)
    assert refused.json()["detail"] == "No review of this question is awaited."
    assert_problem(await api.post("/query/query-none/review", json={"decision": "reject"}), 404)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/decision"),
        ({"decision": "maybe"}, "/decision"),
        ({"decision": "approve", "drop": "a"}, "/drop"),
        ({"decision": "approve", "pin": [1]}, "/pin/0"),
        ({"decision": "reject", "query": " "}, "/query"),
        ({"decision": "reject", "why": "x"}, "/why"),
    ],
)
async def test_a_review_that_breaks_a_rule(
    api: httpx.AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    assert_problem(await api.post("/query/q/review", json=body), 422, pointer)


async def test_an_adjustment(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    script.gate.clear()
    workflow_id = (await api.post("/query", json=question)).json()["workflow_id"]
    await wait_for_stage(api, workflow_id, "rerank")
    path = f"/query/{workflow_id}/adjust"
    for late in ({"k": 3}, {"top_n": 3}, {"filter": None}):
        refused = await api.post(path, json=late)
        assert_problem(refused, 409)
    assert "rerank" in (await api.post(path, json={"top_n": 3})).json()["detail"]
    script.gate.set()
    await wait_until_closed(api, workflow_id)
    assert_problem(await api.post(path, json={"k": 3}), 409)
    assert_problem(await api.post("/query/query-none/adjust", json={"k": 3}), 404)


async def test_an_adjustment_in_time(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    script.held.clear()
    workflow_id = (await api.post("/query", json=question)).json()["workflow_id"]
    await wait_for_stage(api, workflow_id, "preprocess")
    path = f"/query/{workflow_id}/adjust"
    condition = {"field": "year", "op": "gt", "value": 1}
    adjusted = await api.post(path, json={"k": 3, "mode": "lexical", "filter": condition})
    assert (adjusted.status_code, adjusted.json()) == (202, {"workflow_id": workflow_id})
    wrong = {"field": "year", "op": "near", "value": 1}
    assert_problem(await api.post(path, json={"filter": wrong}), 422, "/filter/op")
    script.held.set()
    await wait_until_closed(api, workflow_id)
    assert script.retrieved is not None
    assert (script.retrieved.k, script.retrieved.mode) == (3, "lexical")
    assert script.retrieved.filter == condition


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"k": 0}, "/k"),
        ({"top_n": None}, "/top_n"),
        ({"mode": "psychic"}, "/mode"),
        ({"answer": False}, "/answer"),
    ],
)
async def test_an_adjustment_that_breaks_a_rule(
    api: httpx.AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    assert_problem(await api.post("/query/q/adjust", json=body), 422, pointer)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"review_timeout_s": 0}, "/review_timeout_s"),
        ({"review_timeout_s": 1e9}, "/review_timeout_s"),
        ({"review_default": "reject"}, "/review_default"),
        ({"review": "yes"}, "/review"),
    ],
)
async def test_a_question_whose_review_breaks_a_rule(
    api: httpx.AsyncClient, question: dict[str, Any], change: dict[str, Any], pointer: str
) -> None:
    assert_problem(await api.post("/query", json={**question, **change}), 422, pointer)


async def test_without_a_worker_a_review_is_to_be_sent_again(
    api: httpx.AsyncClient, question: dict[str, Any]
) -> None:
    workflow_id = (await api.post("/query", json=question)).json()["workflow_id"]
    refused = await api.post(f"/query/{workflow_id}/review", json={"decision": "approve"})
    assert_problem(refused, 503)
    assert refused.headers["Retry-After"]
