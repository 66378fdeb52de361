"""Obstacles that keep a change from its end, or end it otherwise."""

import asyncio

import pytest

from tests.integration.api.model_changes.stack import DEADLINE_S, PATH, Stack


async def test_without_a_worker_the_change_waits_for_one(idle: Stack) -> None:
    await idle.start()
    state = await idle.until_told("waiting_for")
    assert state["waiting_for"] == "worker"
    assert (state["state"], state["staged"]) == ("staging", 0)
    async with idle.worker():
        assert (await idle.until())["state"] == "switched"


async def test_a_provider_that_fails_shows_and_is_tried_again(stack: Stack) -> None:
    model = stack.embedders["new"]
    model.failing = lambda: True
    await stack.start()
    state = await stack.until_told("last_failure")
    assert "new is down." in state["last_failure"]
    assert (state["state"], await stack.model()) == ("staging", "old")
    model.failing = lambda: False
    assert (await stack.until())["state"] == "switched"


async def test_a_chunk_that_can_t_be_embedded_is_named(stack: Stack) -> None:
    chunk = {"document_id": "d", "text": " ", "embedding": [1.0] * 32}
    (await stack.http.put("/libraries/l/chunks/blank", json=chunk)).raise_for_status()
    state = await stack.change()
    assert state["state"] == "failed"
    assert "'blank' has no text to embed" in state["error"]
    assert await stack.model() == "old"


async def test_a_second_change_is_refused_while_one_is_in_progress(idle: Stack) -> None:
    await idle.start()
    for call in (
        idle.http.post(PATH, json={"model": "wide"}),
        idle.http.post(f"{PATH}/revert"),
        idle.http.delete(f"{PATH}/previous"),
    ):
        assert (await call).status_code == 409
    assert (await idle.state())["new"]["model"] == "new"


async def test_a_cancelled_change_can_be_started_again(idle: Stack) -> None:
    await idle.start()
    assert (await idle.http.post(f"{PATH}/cancel")).status_code == 202
    assert (await idle.http.post(f"{PATH}/cancel")).status_code == 202
    assert (await idle.state())["state"] == "cancelled"
    await idle.start()  # in place of a workflow that no worker has ended
    async with idle.worker():
        assert (await idle.until())["state"] == "switched"


async def test_a_running_change_is_cancelled(stack: Stack) -> None:
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait_for_release(_: object) -> None:
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(DEADLINE_S)

    stack.embedders["new"].before = wait_for_release
    await stack.start()
    assert (await stack.http.post(f"{PATH}/cancel")).status_code == 202
    release.set()
    assert (await stack.until())["state"] == "cancelled"
    assert await stack.model() == "old"


async def test_a_workflow_cancelled_in_temporal_cancels_the_change(stack: Stack) -> None:
    stack.embedders["new"].failing = lambda: True
    workflow_id = await stack.start()
    await stack.temporal.get_workflow_handle(workflow_id).cancel()
    state = await stack.until()
    assert (state["state"], state["error"]) == ("cancelled", None)


async def test_a_terminated_workflow_shows_and_the_change_can_be_started_again(
    idle: Stack,
) -> None:
    workflow_id = await idle.start()
    await idle.temporal.get_workflow_handle(workflow_id).terminate("no more")
    state = await idle.state()
    assert state["state"] == "failed"
    assert state["error"] == "The change was terminated in Temporal. Start it again."
    await idle.start()
    async with idle.worker():
        assert (await idle.until())["state"] == "switched"


async def test_a_library_deleted_meanwhile_ends_the_workflow(idle: Stack) -> None:
    workflow_id = await idle.start()
    (await idle.http.delete("/libraries/l")).raise_for_status()
    async with idle.worker():
        with pytest.raises(Exception, match="Workflow execution failed"):
            await idle.temporal.get_workflow_handle(workflow_id).result()
    assert (await idle.http.get(PATH)).status_code == 404


async def test_what_is_refused(idle: Stack) -> None:
    unknown = await idle.http.post(PATH, json={"model": "x"})
    assert unknown.status_code == 422
    assert unknown.json()["errors"] == [
        {"pointer": "/model", "detail": "This server has no model 'x'; it has new, old, wide."}
    ]
    assert (await idle.http.post(PATH, json={"model": "old"})).status_code == 409
    assert (await idle.http.post(f"{PATH}/revert")).status_code == 409
    assert (await idle.http.post(f"{PATH}/cancel")).status_code == 409
    for path in (PATH, PATH.replace("/l/", "/none/")):
        for body in ({}, {"model": 7}, {"model": ""}, {"model": "new", "more": 1}):
            assert (await idle.http.post(path, json=body)).status_code == 422
    gone = PATH.replace("/l/", "/none/")
    assert (await idle.http.get(gone)).status_code == 404
    assert (await idle.http.post(gone, json={"model": "new"})).status_code == 404
    assert (await idle.http.delete(f"{gone}/previous")).status_code == 404
    step = {"model": "new", "state": "staging"}
    assert (await idle.http.post(f"{PATH}/advance", json=step)).status_code == 409
    step["state"] = "switched"
    assert (await idle.http.post(f"{PATH}/advance", json=step)).status_code == 422


async def test_vectors_of_the_client_s_own_have_no_model_to_change(idle: Stack) -> None:
    (await idle.http.put("/libraries/own", json={"name": "own", "dimension": 2})).raise_for_status()
    chunks = {"chunks": [{"text": "text", "embedding": [1, 0]}]}
    (await idle.http.post("/libraries/own/documents", json=chunks)).raise_for_status()
    refused = await idle.http.post("/libraries/own/embedding-model", json={"model": "new"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/library_id"


async def test_a_patch_of_the_model_says_what_changes_it(idle: Stack) -> None:
    refused = await idle.http.patch("/libraries/l", json={"embedding_model": "new"})
    assert refused.status_code == 422
    assert "POST /libraries/{library_id}/embedding-model" in refused.json()["errors"][0]["detail"]
