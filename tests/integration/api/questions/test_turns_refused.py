"""Turns that a conversation refuses, and calls of conversations that are not there."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client

from core.contracts.conversation import MAX_QUERY_CHARS
from core.contracts.names import task_queue_of
from core.settings import Settings
from tests.integration.api.calls import assert_problem, open_client
from tests.integration.api.questions.calls import (
    ask,
    turns_of,
    until,
    wait_for_stage,
    wait_until_closed,
)
from tests.integration.api.script import Script

MARKUP = "<script>alert(1)</script>"
MOST_CHARS = 10_000


async def start(
    api: httpx.AsyncClient, question: dict[str, Any], talk: str, **headers: str
) -> httpx.Response:
    """Ask a turn without waiting for its result."""
    return await api.post("/query", json={**question, "conversation_id": talk}, headers=headers)


async def check_gone(api: httpx.AsyncClient, question: dict[str, Any], talk: str) -> None:
    """Check that each call of a conversation gets 404."""
    assert_problem(await api.get(f"/conversations/{talk}"), 404)
    assert_problem(await start(api, question, talk), 404)
    assert_problem(await api.delete(f"/conversations/{talk}"), 404)


async def test_an_id_of_ten_kilobytes(api: httpx.AsyncClient) -> None:
    for method in ("GET", "DELETE"):
        refused = await api.request(method, f"/conversations/{'c' * 10_000}")
        assert refused.status_code == 414
        assert refused.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("unknown", [MARKUP, "../libraries/texts", "c" * 200, "a b", "%"])
async def test_an_id_that_none_has(api: httpx.AsyncClient, unknown: str) -> None:
    path = f"/conversations/{quote(unknown, safe='')}"
    for refused in (await api.get(path), await api.delete(path)):
        assert_problem(refused, 404)


async def test_the_conversation_of_another_instance(
    api: httpx.AsyncClient,
    question: dict[str, Any],
    settings: Settings,
    script: Script,
    tmp_path: Path,
) -> None:
    other_settings = settings.model_copy(update={"data_dir": tmp_path / "other"})
    async with open_client(other_settings) as other:
        talk = (await other.post("/conversations", json={})).json()["id"]
        await check_gone(api, question, talk)
        assert (await other.get(f"/conversations/{talk}")).json()["turns"] == []


async def test_turns_at_the_same_moment(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, talk: str
) -> None:
    """One turn is taken; the others learn of it even before Temporal has its question."""
    script.gate.clear()
    for number in range(1, 9):
        asked = await asyncio.gather(*(start(api, question, talk) for _ in range(6)))
        [running] = [each.json()["workflow_id"] for each in asked if each.status_code == 202]
        for refused in asked:
            if refused.status_code != 202:
                assert_problem(refused, 409)
                assert running in refused.json()["detail"]
        assert len(await turns_of(api, talk)) == number
        await api.post(f"/query/{running}/cancel")
        await wait_until_closed(api, running)


async def test_the_same_key_twice_at_the_same_moment(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, talk: str
) -> None:
    key = {"Idempotency-Key": f"both-{uuid4()}"}
    both = await asyncio.gather(*(start(api, question, talk, **key) for _ in range(2)))
    assert [response.status_code for response in both] == [202, 202]
    assert both[0].json() == both[1].json()
    assert [response.headers.get("Idempotent-Replayed") for response in both].count("true") == 1
    assert len(await turns_of(api, talk)) == 1


async def test_a_key_is_for_one_question_in_one_conversation(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, talk: str
) -> None:
    key = {"Idempotency-Key": f"one-{uuid4()}"}
    assert (await start(api, question, talk, **key)).status_code == 202
    other = (await api.post("/conversations", json={})).json()["id"]
    alone = {**question, "query": "Alone?"}
    for refused in (
        await start(api, {**question, "query": "Another?"}, talk, **key),
        await start(api, {**question, "top_n": 1}, talk, **key),
        await start(api, question, other, **key),
        await api.post("/query", json=alone, headers=key),
    ):
        assert_problem(refused, 422, "/Idempotency-Key")
    assert len(await turns_of(api, talk)) == 1
    assert await turns_of(api, other) == []


async def test_the_key_of_a_question_begins_no_turn(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, talk: str
) -> None:
    key = {"Idempotency-Key": f"alone-{uuid4()}"}
    assert (await api.post("/query", json=question, headers=key)).status_code == 202
    assert_problem(await start(api, question, talk, **key), 422, "/Idempotency-Key")
    assert await turns_of(api, talk) == []
    assert (await ask(api, question, talk)).status_code == 200


async def test_a_conversation_is_found_by_its_key_as_long_as_it_goes_on(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    """A key names the same conversation after it has continued as new, and none once it ended."""
    key = {"Idempotency-Key": f"talk-{uuid4()}"}
    first = await api.post("/conversations", json={}, headers=key)
    talk = first.json()["id"]
    for _ in range(6):
        assert (await ask(api, question, talk)).status_code == 200
    again = await api.post("/conversations", json={}, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    created_at = (await api.get(f"/conversations/{talk}")).json()["created_at"]
    assert created_at == first.json()["created_at"]


async def test_the_key_of_a_conversation_that_has_ended(
    api: httpx.AsyncClient, question: dict[str, Any], temporal: Client
) -> None:
    key = {"Idempotency-Key": f"ended-{uuid4()}"}
    talk = (await api.post("/conversations", json={}, headers=key)).json()["id"]
    await temporal.get_workflow_handle(talk).terminate()
    refused = await api.post("/conversations", json={}, headers=key)
    assert_problem(refused, 409)
    assert "new key" in refused.json()["detail"]


@pytest.mark.parametrize("end", ["terminate", "cancel"])
async def test_a_conversation_that_was_ended_in_temporal(
    api: httpx.AsyncClient,
    question: dict[str, Any],
    script: Script,
    temporal: Client,
    talk: str,
    end: str,
) -> None:
    asked = (await ask(api, question, talk)).json()["workflow_id"]
    await getattr(temporal.get_workflow_handle(talk), end)()

    async def status() -> int:
        return (await api.get(f"/conversations/{talk}")).status_code

    await until(status, 404)
    await check_gone(api, question, talk)
    assert (await api.get(f"/query/{asked}")).json()["status"] == "completed"


async def test_a_turn_at_the_moment_of_the_deletion(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    async def delete(talk: str, delay_s: float) -> httpx.Response:
        await asyncio.sleep(delay_s)  # so that it comes at each step of the turn's start
        return await api.delete(f"/conversations/{talk}")

    for number in range(15):
        talk = (await api.post("/conversations", json={})).json()["id"]
        assert await turns_of(api, talk) == []
        asked, deleted = await asyncio.gather(
            start(api, question, talk), delete(talk, number * 0.003)
        )
        assert deleted.status_code == 204
        if asked.status_code != 202:
            assert_problem(asked, 404)


async def test_two_deletions_at_the_same_moment(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, talk: str
) -> None:
    await ask(api, question, talk)
    both = await asyncio.gather(*(api.delete(f"/conversations/{talk}") for _ in range(2)))
    assert {response.status_code for response in both} <= {204, 404}
    assert 204 in {response.status_code for response in both}
    await check_gone(api, question, talk)


async def test_a_library_that_was_deleted_meanwhile(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    talk = (await api.post("/conversations", json={"library": "t"})).json()["id"]
    await ask(api, question, talk)
    await api.delete("/libraries/texts")
    refused = await start(api, question, talk)
    assert_problem(refused, 404)
    assert "library 't'" in refused.json()["detail"]
    await api.put("/libraries/another", json={"name": "t", "embedding_model": "wordllama-256"})
    assert_problem(await start(api, question, talk), 422, "/library")
    conversation = (await api.get(f"/conversations/{talk}")).json()
    assert (conversation["library"], len(conversation["turns"])) == ("texts", 1)
    assert (await api.delete(f"/conversations/{talk}")).status_code == 204


async def test_questions_that_are_too_long(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, talk: str
) -> None:
    for query in ("long " * 20_000, "x" * (MOST_CHARS + 1), "", " \n"):
        assert_problem(await ask(api, question, talk, query=query), 422, "/query")
    longest = "x" * MOST_CHARS
    assert (await ask(api, question, talk, query=longest)).status_code == 200
    assert [turn["query"] for turn in await turns_of(api, talk)] == [longest[:MAX_QUERY_CHARS]]


async def test_questions_are_kept_as_they_were_asked(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, talk: str
) -> None:
    asked = (
        f"{MARKUP} & “quotes”?",
        "`code()` returns\n\twhat?",
        "\u202e\u0627\u0644 ?",
        "thanks!",
    )
    for query in asked:
        assert (await ask(api, question, talk, query=query)).status_code == 200
    assert tuple(turn["query"] for turn in await turns_of(api, talk)) == asked


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"conversation_id": ["c"]}, "/conversation_id"),
        ({"conversation_id": {"id": "c"}}, "/conversation_id"),
        ({"conversation_id": True}, "/conversation_id"),
        ({"conversation_id": "c" * 10_000}, "/conversation_id"),
        ({"conversation": "c"}, "/conversation"),
        ({"turns": []}, "/turns"),
    ],
)
async def test_wrong_types_and_unknown_fields(
    api: httpx.AsyncClient, question: dict[str, Any], body: dict[str, Any], pointer: str
) -> None:
    assert_problem(await api.post("/query", json={**question, **body}), 422, pointer)


async def test_a_turn_that_no_worker_took_counts_once_when_one_comes(
    api: httpx.AsyncClient,
    question: dict[str, Any],
    talk: str,
    settings: Settings,
    temporal: Client,
) -> None:
    key = {"Idempotency-Key": f"late-{uuid4()}"}
    for refused in (
        await start(api, question, talk, **key),
        await api.get(f"/conversations/{talk}"),
    ):
        assert_problem(refused, 503)
        assert "nalanda worker" in refused.json()["detail"]
        assert int(refused.headers["Retry-After"]) > 0
    async with Script().worker(temporal, task_queue_of(None, settings.task_queue)):
        asked = await start(api, question, talk, **key)
        assert asked.status_code == 202
        assert (await wait_until_closed(api, asked.json()["workflow_id"]))["status"] == "completed"
        assert len(await turns_of(api, talk)) == 1


async def test_a_turn_that_waits_for_its_review_is_running(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script, talk: str
) -> None:
    reviewed = {**question, "review": True}
    first = (await start(api, reviewed, talk)).json()["workflow_id"]
    await wait_for_stage(api, first, "rerank")
    assert_problem(await start(api, question, talk), 409)

    async def decided() -> int:
        body = {"decision": "approve"}
        return (await api.post(f"/query/{first}/review", json=body)).status_code

    await until(decided, 200)
    await wait_until_closed(api, first)
    assert (await ask(api, question, talk)).status_code == 200
