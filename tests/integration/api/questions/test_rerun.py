"""Questions asked again from a stage on, and the difference between their results."""

from typing import Any

import httpx
import pytest

from tests.integration.api.calls import assert_problem
from tests.integration.api.questions.calls import (
    state_of,
    wait_for_stage,
    wait_until_closed,
)
from tests.integration.api.script import Script


async def ask(api: httpx.AsyncClient, question: dict[str, Any], **more: Any) -> str:
    asked = await api.post("/query?wait_s=20", json={**question, **more})
    assert asked.status_code == 200
    workflow_id: str = asked.json()["workflow_id"]
    return workflow_id


async def rerun(api: httpx.AsyncClient, workflow_id: str, **body: Any) -> dict[str, Any]:
    """Return the state of the question that goes on from another one."""
    again = await api.post(f"/query/{workflow_id}/rerun", json=body)
    assert again.status_code == 202, again.text
    handle = again.json()
    assert handle["workflow_id"] != workflow_id
    assert again.headers["Location"] == handle["status_url"]
    return await wait_until_closed(api, handle["workflow_id"])


@pytest.mark.parametrize(
    ("stage", "statuses"),
    [
        ("retrieve", ["skipped", "completed", "completed", "completed"]),
        ("rerank", ["skipped", "skipped", "completed", "completed"]),
        ("answer", ["skipped", "skipped", "skipped", "completed"]),
    ],
)
async def test_a_question_goes_on_from_a_stage(
    api: httpx.AsyncClient,
    question: dict[str, Any],
    script: Script,
    stage: str,
    statuses: list[str],
) -> None:
    first = await ask(api, question)
    before = (await state_of(api, first))["result"]
    state = await rerun(api, first, **{"from": stage})
    assert [each["status"] for each in state["stages"]] == statuses
    assert state["result"]["answer"] == "alpha"
    assert state["result"]["position"] == before["position"]
    diff = await api.get(f"/query/{first}/diff/{state['workflow_id']}")
    hits: dict[str, Any] = {"gained": [], "lost": [], "moved": []}
    if stage == "retrieve":  # the script's chunk has a version above the position of the question
        hits["lost"] = before["hits"]
    assert diff.json() == {
        "hits": hits,
        "answer": {"before": "alpha", "after": "alpha"},
        "citations": {"gained": [], "lost": []},
    }


async def test_parameters_change(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    first = await ask(api, question, k=9)
    state = await rerun(api, first, **{"from": "retrieve", "k": 3, "top_n": 2, "at": "now"})
    assert script.retrieved is not None
    assert script.retrieved.k == 3
    assert [hit["chunk_id"] for hit in state["result"]["hits"]] == ["a"]
    again = await rerun(api, state["workflow_id"], **{"from": "rerank"})
    assert again["result"]["answer"] == "alpha"


async def test_at_present_a_deleted_chunk_is_no_hit(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    first = await ask(api, question)
    gone = await rerun(api, first, **{"from": "rerank", "at": "now"})
    assert gone["result"]["hits"] == []  # the script's chunk was never stored
    diff = (await api.get(f"/query/{first}/diff/{gone['workflow_id']}")).json()
    assert [hit["chunk_id"] for hit in diff["hits"]["lost"]] == ["a"]


async def test_one_key_is_one_rerun(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    first = await ask(api, question)
    headers = {"Idempotency-Key": f"rerun-{first}"}
    path, body = f"/query/{first}/rerun", {"from": "answer"}
    one = await api.post(path, json=body, headers=headers)
    two = await api.post(path, json=body, headers=headers)
    assert two.headers["Idempotent-Replayed"] == "true"
    assert one.json()["workflow_id"] == two.json()["workflow_id"]


async def test_a_question_that_can_not_be_asked_again(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    script.gate.clear()
    running = (await api.post("/query", json=question)).json()["workflow_id"]
    await wait_for_stage(api, running, "rerank")
    assert_problem(await api.post(f"/query/{running}/rerun", json={"from": "answer"}), 409)
    assert_problem(await api.get(f"/query/{running}/diff/{running}"), 409)
    await api.post(f"/query/{running}/cancel")
    await wait_until_closed(api, running)
    assert_problem(await api.post(f"/query/{running}/rerun", json={"from": "answer"}), 409)
    assert_problem(await api.get(f"/query/{running}/diff/query-none"), 404)
    assert_problem(await api.post("/query/query-none/rerun", json={"from": "answer"}), 404)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/from"),
        ({"from": "preprocess"}, "/from"),
        ({"stage": "answer"}, "/from"),
        ({"from": "answer", "at": "later"}, "/at"),
        ({"from": "rerank", "k": 3}, "/k"),
        ({"from": "answer", "top_n": 3}, "/top_n"),
        ({"from": "retrieve", "filter": {"field": "n", "op": "near", "value": 1}}, "/filter/op"),
    ],
)
async def test_a_rerun_that_breaks_a_rule(
    api: httpx.AsyncClient,
    question: dict[str, Any],
    script: Script,
    body: dict[str, Any],
    pointer: str,
) -> None:
    first = await ask(api, question)
    refused = await api.post(f"/query/{first}/rerun", json=body)
    assert refused.status_code == 422, refused.text
    assert pointer in [fault["pointer"] for fault in refused.json()["errors"]]
