"""Questions that are refused, and what questions are not."""

from typing import Any

import httpx
import pytest
from temporalio.client import Client

from core.contracts.names import task_queue_of
from core.settings import Settings
from tests.integration.api.calls import assert_problem
from tests.integration.api.script import Script


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
        ({"answer": "yes"}, "/answer"),
        ({"deadline_s": 0}, "/deadline_s"),
        ({"budget": {"calls": 0}}, "/budget/calls"),
        ({"budget": {"tokens": -1}}, "/budget/tokens"),
        ({"budget": {"tokens": 1.5}}, "/budget/tokens"),
        ({"budget": {"calls": True}}, "/budget/calls"),
        ({"budget": {"calls": 10**12}}, "/budget/calls"),
        ({"budget": {"euros": 1}}, "/budget/euros"),
        ({"budget": {}}, "/budget"),
        ({"budget": 3}, "/budget"),
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
