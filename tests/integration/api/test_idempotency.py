import asyncio
from typing import Any

import httpx
import pytest

from tests.integration.api.calls import assert_problem

KEY = {"Idempotency-Key": "a key, of whatever form"}

CALLS = [
    ("/libraries", {"name": "fresh"}),
    ("/libraries/l/documents", {"title": "fresh"}),
    ("/libraries/l/documents/d/chunks", {"chunks": [{"text": "x", "embedding": [1, 1]}]}),
    ("/libraries/l/chunks/delete", {"ids": ["a"]}),
]


@pytest.mark.parametrize(("path", "body"), CALLS)
async def test_the_same_call_is_answered_as_the_first_time(
    api: httpx.AsyncClient, document: str, path: str, body: object
) -> None:
    first = await api.post(path, json=body, headers=KEY)
    assert first.is_success
    assert "Idempotent-Replayed" not in first.headers
    again = await api.post(path, json=body, headers=KEY)
    assert again.headers.pop("Idempotent-Replayed") == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers == first.headers
    position = (await api.get("/libraries/l")).headers["Nalanda-Position"]
    assert position == first.headers["Nalanda-Position"]


WRITES = [
    ("PUT", "/libraries/new", {"json": {"name": "new"}}),
    ("PUT", "/libraries/l", {"json": {"name": "other"}}),
    ("PATCH", "/libraries/l", {"json": {"description": "x"}}),
    ("DELETE", "/libraries/l", {}),
    ("PUT", "/libraries/l/documents/new", {"json": {"title": "new"}}),
    ("PUT", "/libraries/l/documents/d", {"json": {"title": "other"}}),
    ("PATCH", "/libraries/l/documents/d", {"json": {"title": "other"}}),
    ("DELETE", "/libraries/l/documents/d", {}),
    ("PUT", "/libraries/l/chunks/new", {"json": {"document_id": "d", "text": "x"}}),
    ("PUT", "/libraries/l/chunks/a", {"json": {"document_id": "d", "text": "x"}}),
    ("PATCH", "/libraries/l/chunks/a", {"json": {"metadata": {"n": 7}}}),
    ("DELETE", "/libraries/l/chunks/a", {}),
]
EMBEDDED = {"embedding": [1, 1]}


@pytest.mark.parametrize(("method", "path", "options"), WRITES)
@pytest.mark.parametrize("conditional", [False, True])
async def test_any_write_is_executed_once(
    api: httpx.AsyncClient,
    document: str,
    method: str,
    path: str,
    options: dict[str, Any],
    *,
    conditional: bool,
) -> None:
    headers = dict(KEY)
    if method == "PUT" and "/chunks/" in path:
        options = {"json": {**options["json"], **EMBEDDED}}
    if conditional:
        seen = await api.get(path)
        tag = {"If-Match": seen.headers["ETag"]} if seen.is_success else {"If-None-Match": "*"}
        headers |= tag
    first = await api.request(method, path, headers=headers, **options)
    assert first.is_success, first.text
    after = await api.get(path)
    again = await api.request(method, path, headers=headers, **options)
    assert again.headers.pop("Idempotent-Replayed") == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers == first.headers
    unchanged = await api.get(path)
    assert (unchanged.status_code, unchanged.content) == (after.status_code, after.content)


async def test_a_repetition_overwrites_no_later_write(
    api: httpx.AsyncClient, document: str
) -> None:
    await api.patch(document, json={"title": "first"}, headers=KEY)
    await api.patch(document, json={"title": "second"})
    await api.patch(document, json={"title": "first"}, headers=KEY)
    assert (await api.get(document)).json()["title"] == "second"


async def test_a_write_that_failed_may_be_tried_again(
    api: httpx.AsyncClient, document: str
) -> None:
    stale = {**KEY, "If-Match": '"1"'}
    assert_problem(await api.delete(document, headers=stale), 412)
    current = {**KEY, "If-Match": (await api.get(document)).headers["ETag"]}
    assert (await api.delete(document, headers=current)).status_code == 204


async def test_another_call_under_the_key_is_refused(api: httpx.AsyncClient, document: str) -> None:
    await api.post("/libraries", json={"name": "fresh"}, headers=KEY)
    other_body = await api.post("/libraries", json={"name": "other"}, headers=KEY)
    assert_problem(other_body, 422, "/Idempotency-Key")
    other_path = await api.post("/libraries/l/documents", json={}, headers=KEY)
    assert_problem(other_path, 422, "/Idempotency-Key")


async def test_a_call_that_failed_may_be_tried_again(api: httpx.AsyncClient) -> None:
    await api.put("/libraries/l", json={"name": "taken"})
    assert_problem(await api.post("/libraries", json={"name": "taken"}, headers=KEY), 409)
    await api.delete("/libraries/l")
    retried = await api.post("/libraries", json={"name": "taken"}, headers=KEY)
    assert retried.status_code == 201


async def test_at_the_same_time_a_deletion_is_carried_out_once(
    api: httpx.AsyncClient, document: str
) -> None:
    headers = {**KEY, "If-Match": (await api.get(document)).headers["ETag"]}
    answers = await asyncio.gather(*[api.delete(document, headers=headers) for _ in range(8)])
    assert {answer.status_code for answer in answers} == {204}
    assert len({answer.headers["Nalanda-Position"] for answer in answers}) == 1


async def test_at_the_same_time_it_is_carried_out_once(api: httpx.AsyncClient) -> None:
    calls = [api.post("/libraries", json={"name": "n"}, headers=KEY) for _ in range(8)]
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_has_a_length(api: httpx.AsyncClient, key: str) -> None:
    headers = {"Idempotency-Key": key}
    answer = await api.post("/libraries", json={"name": "n"}, headers=headers)
    assert_problem(answer, 422, "/Idempotency-Key")
