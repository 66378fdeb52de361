"""Conversations over HTTP, on a real Temporal server."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from core.contracts.names import task_queue_of
from core.settings import Settings
from tests.integration.api.calls import assert_problem, open_client
from tests.integration.api.questions.calls import (
    ask,
    state_of,
    turns_of,
    until,
    wait_for_stage,
    wait_until_closed,
)
from tests.integration.api.script import Script

UNKNOWN = "conversation-i000000000000-01a22eb0-3d78-73b1-b5f2-5493e6d81524"


async def test_a_conversation_begins_without_turns(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    created = await api.post("/conversations", json={"library": "t"})
    assert created.status_code == 201
    conversation = created.json()
    assert (conversation["library"], conversation["turns"]) == ("texts", [])
    path = f"/conversations/{conversation['id']}"
    assert created.headers["Location"] == f"http://localhost{path}"
    assert int(created.headers["Nalanda-Position"]) > 0
    assert (await api.get(path)).json() == conversation


async def test_one_turn_after_the_other(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, talk: str
) -> None:
    """A turn that follows at once is not refused, though the conversation learns of ends later."""
    asked = []
    for number in range(7):
        answered = await ask(api, question, talk, query=f"Question {number}?")
        assert answered.status_code == 200, answered.text
        asked.append(answered.json()["workflow_id"])

    async def ended() -> set[str]:
        return {turn["status"] for turn in await turns_of(api, talk)}

    await until(ended, {"completed"})
    turns = await turns_of(api, talk)
    assert [turn["workflow_id"] for turn in turns] == asked
    assert [turn["query"] for turn in turns] == [f"Question {number}?" for number in range(7)]
    assert {turn["answer"] for turn in turns} == {"alpha"}
    assert set(turns[0]) == {
        *("workflow_id", "query", "condensed_query", "status", "answer", "reason"),
        *("asked_at", "ended_at"),
    }
    state = await state_of(api, asked[-1])
    assert (state["library"], state["query"]) == ("texts", "Question 6?")
    assert state["conversation_id"] == talk
    alone = (await api.post("/query", params={"wait_s": 30}, json=question)).json()
    assert (await state_of(api, alone["workflow_id"]))["conversation_id"] is None
    listed = (await api.get("/query")).json()["items"]
    assert {item["workflow_id"] for item in listed} <= {*asked, alone["workflow_id"]}


async def test_a_turn_while_another_runs_is_refused(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, talk: str
) -> None:
    script.gate.clear()
    body = {**question, "conversation_id": talk}
    first = (await api.post("/query", json=body)).json()["workflow_id"]
    await wait_for_stage(api, first, "rerank")
    refused = await api.post("/query", json=body)
    assert_problem(refused, 409)
    assert first in refused.json()["detail"]
    assert [turn["status"] for turn in await turns_of(api, talk)] == ["running"]
    await api.post(f"/query/{first}/cancel")
    await wait_until_closed(api, first)
    script.gate.set()
    assert (await ask(api, question, talk)).status_code == 200
    assert (await turns_of(api, talk))[0]["status"] == "cancelled"


async def test_one_key_is_one_turn(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, talk: str
) -> None:
    headers = {"Idempotency-Key": f"turn-{talk}"}
    body = {**question, "conversation_id": talk}
    first = await api.post("/query?wait_s=30", json=body, headers=headers)
    again = await api.post("/query?wait_s=30", json=body, headers=headers)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(await turns_of(api, talk)) == 1
    other = await api.post("/query", json={**body, "query": "Another?"}, headers=headers)
    assert_problem(other, 422, "/Idempotency-Key")


async def test_one_key_is_one_conversation(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, talk: str
) -> None:
    headers = {"Idempotency-Key": f"conversation-{talk}"}
    first = await api.post("/conversations", json={}, headers=headers)
    again = await api.post("/conversations", json={}, headers=headers)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await api.post("/conversations", json={"library": "t"}, headers=headers)
    assert_problem(other, 422, "/Idempotency-Key")


@pytest.mark.parametrize("unknown", [UNKNOWN, "c1", "", "query-none", "\u0000", "ä/ö?"])
async def test_an_unknown_conversation(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, unknown: str
) -> None:
    assert_problem(await ask(api, question, unknown), 404)
    if unknown.isascii() and unknown.isprintable() and unknown:
        assert_problem(await api.get(f"/conversations/{unknown}"), 404)
        assert_problem(await api.delete(f"/conversations/{unknown}"), 404)


async def test_bad_input(api: httpx.AsyncClient, question: dict[str, Any], talk: str) -> None:
    assert_problem(await ask(api, question, "c" * 129), 422, "/conversation_id")
    assert_problem(await ask(api, question, talk, conversation_id=7), 422, "/conversation_id")
    assert_problem(await ask(api, question, talk, library="none"), 404)
    assert_problem(await api.post("/conversations", json={"library": "none"}), 404)
    assert_problem(await api.post("/conversations", json={"library": 7}), 422, "/library")
    assert_problem(await api.post("/conversations", json={"title": "T"}), 422, "/title")


async def test_a_question_to_another_library_is_refused(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    await api.post("/libraries", json={"name": "other", "embedding_model": "wordllama-256"})
    talk = (await api.post("/conversations", json={"library": "other"})).json()["id"]
    assert_problem(await ask(api, question, talk), 422, "/library")
    assert (await ask(api, question, talk, library="other")).status_code == 200


async def test_a_deleted_conversation_is_gone_and_its_questions_stay(
    api: httpx.AsyncClient,
    question: dict[str, Any],
    script: Script,
    talk: str,
    temporal: Client,
) -> None:
    asked = [(await ask(api, question, talk)).json()["workflow_id"] for _ in range(6)]
    runs = await runs_of(temporal, talk)
    assert len(runs) == 2
    script.gate.clear()
    body = {**question, "conversation_id": talk}
    running = (await api.post("/query", json=body)).json()["workflow_id"]
    deleted = await api.delete(f"/conversations/{talk}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    for call in (
        api.get(f"/conversations/{talk}"),
        api.delete(f"/conversations/{talk}"),
        ask(api, question, talk),
    ):
        assert_problem(await call, 404)
    script.gate.set()
    for workflow_id in (*asked, running):
        closed = await wait_until_closed(api, workflow_id)
        assert (closed["status"], closed["conversation_id"]) == ("completed", talk)

    async def known() -> list[str]:
        return [run for run in runs if await is_known(temporal, talk, run)]

    await until(known, [], 120)


async def runs_of(temporal: Client, talk: str) -> list[str]:
    """Return the ids of all runs of a conversation's workflow, the last one first."""
    runs = [(await temporal.get_workflow_handle(talk).describe()).run_id]
    while True:
        handle = temporal.get_workflow_handle(talk, run_id=runs[-1])
        first = await anext(handle.fetch_history_events(page_size=1))
        before = first.workflow_execution_started_event_attributes.continued_execution_run_id
        if not before:
            return runs
        runs.append(before)


async def is_known(temporal: Client, talk: str, run_id: str) -> bool:
    try:
        await temporal.get_workflow_handle(talk, run_id=run_id).describe()
    except RPCError:
        return False
    return True


async def test_without_a_worker(
    api: httpx.AsyncClient, question: dict[str, Any], talk: str, settings: Settings
) -> None:
    for call in (ask(api, question, talk), api.get(f"/conversations/{talk}")):
        refused = await call
        assert_problem(refused, 503)
        assert int(refused.headers["Retry-After"]) > 0


@pytest.fixture
async def alone(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    nowhere = settings.model_copy(update={"temporal_address": "127.0.0.1:1"})
    async with open_client(nowhere) as client:
        yield client


async def test_without_temporal(alone: httpx.AsyncClient) -> None:
    assert_problem(await alone.post("/conversations", json={}), 503)
    assert_problem(await alone.get(f"/conversations/{UNKNOWN}"), 503)
    assert_problem(await alone.delete(f"/conversations/{UNKNOWN}"), 503)


async def test_what_is_no_conversation(
    api: httpx.AsyncClient, temporal: Client, settings: Settings, script: Script, talk: str
) -> None:
    other = talk[:-4] + "0000"
    queue = task_queue_of(None, settings.task_queue)
    await temporal.execute_workflow("Other", id=other, task_queue=queue)
    assert_problem(await api.get(f"/conversations/{other}"), 404)
