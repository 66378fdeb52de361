"""Changes and reverts by the workflow, while the library is searched and written to."""

import asyncio

from nalanda import SearchOptions
from tests.integration.api.model_changes.stack import COUNT, PATH, Stack


async def test_a_library_that_never_changed_has_the_state_none(idle: Stack) -> None:
    state = await idle.state()
    assert (state["state"], state["old"], state["workflow_id"]) == ("none", None, None)


async def test_a_change_shows_old_against_new(stack: Stack) -> None:
    started = await stack.http.post(PATH, json={"model": "wide"})
    assert started.status_code == 202
    handle = started.json()
    assert started.headers["Location"] == handle["status_url"] == f"http://localhost{PATH}"
    assert handle.keys() == {"workflow_id", "run_id", "status_url", "temporal_ui_url"}
    state = await stack.until()
    assert state["state"] == "switched"
    assert state["workflow_id"] == handle["workflow_id"]
    assert state["old"] == {"model": "old", "dimension": 32}
    assert state["new"] == {"model": "wide", "dimension": 48}
    assert (state["staged"], state["total"]) == (COUNT, COUNT)
    assert state["revertable"] is True
    assert state["error"] is None
    assert state["started_at"] <= state["switched_at"] <= state["ended_at"]
    compared = state["comparison"]
    assert (compared["rows"], compared["queries"]) == (COUNT, COUNT)
    assert compared["old"] == compared["new"] == {"recall_at_10": 1.0, "ndcg_at_10": 1.0}
    library = (await stack.http.get("/libraries/l")).json()
    assert (library["embedding_model"], library["dimension"]) == ("wide", 48)
    assert await stack.best(7) == ("c07", 1.0)


async def test_a_revert_restores_the_model(stack: Stack) -> None:
    await stack.change()
    assert (await stack.http.post(f"{PATH}/revert")).status_code == 202
    state = await stack.until()
    assert (state["state"], state["revertable"]) == ("reverted", False)
    assert await stack.model() == "old"
    assert await stack.best(7) == ("c07", 1.0)


async def test_searches_and_writes_go_on_meanwhile(stack: Stack) -> None:
    """No call fails, and each answer is of one model: a text finds itself, with a cosine of 1."""
    stop, answers = asyncio.Event(), 0

    async def search() -> None:
        nonlocal answers
        number = 0
        while not stop.is_set():
            assert await stack.best(number) == (f"c{number:02}", 1.0)
            number, answers = (number + 1) % COUNT, answers + 1

    async def write() -> None:
        number = COUNT
        while not stop.is_set():
            chunk = {"document_id": "d", "text": f"text {number}"}
            put = await stack.http.put(f"/libraries/l/chunks/c{number:02}", json=chunk)
            put.raise_for_status()
            number += 1

    others = [asyncio.create_task(work()) for work in (search, search, write)]
    for model in ("new", "wide", "old"):
        assert (await stack.change(model))["state"] == "switched"
    (await stack.http.post(f"{PATH}/revert")).raise_for_status()
    assert (await stack.until())["state"] == "reverted"
    stop.set()
    await asyncio.gather(*others)
    assert answers > COUNT
    assert await stack.model() == "wide"


async def test_the_sdk_changes_and_reverts(stack: Stack) -> None:
    libraries = stack.sdk.libraries
    await libraries.change_model("library", "new")
    changed = await libraries.wait_for_model_change("library", timeout_s=60)
    assert (changed.state, changed.closed, changed.revertable) == ("switched", True, True)
    assert changed.comparison is not None
    await libraries.revert_model("library")
    reverted = await libraries.wait_for_model_change("library", timeout_s=60)
    assert reverted.state == "reverted"
    await libraries.forget_previous_model("library")


async def test_a_search_names_the_model_of_its_embedding(stack: Stack) -> None:
    vector = stack.embedders["old"].vector("text 3").tolist()
    search = SearchOptions(embedding=vector, embedding_model="old", k=1)
    assert (await stack.sdk.search("l", **search)).hits[0].chunk_id == "c03"
    await stack.change()
    body = {"embedding": vector, "embedding_model": "old"}
    refused = await stack.http.post("/libraries/l/search", json=body)
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"pointer": "/embedding_model", "detail": "The library's model is 'new', and not 'old'."}
    ]


async def test_the_old_embeddings_can_be_forgotten(stack: Stack) -> None:
    await stack.change()
    assert (await stack.http.delete(f"{PATH}/previous")).status_code == 204
    assert (await stack.state())["revertable"] is False
    assert (await stack.http.post(f"{PATH}/revert")).status_code == 409
    assert (await stack.http.delete(f"{PATH}/previous")).status_code == 204


async def test_the_same_key_starts_one_change(stack: Stack) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = await stack.http.post(PATH, json={"model": "new"}, headers=headers)
    await stack.until()
    again = await stack.http.post(PATH, json={"model": "new"}, headers=headers)
    assert again.status_code == 202
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await stack.http.post(PATH, json={"model": "wide"}, headers=headers)
    assert other.status_code == 422
    assert other.json()["errors"][0]["pointer"] == "/Idempotency-Key"
