import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from tests.integration.api.calls import JSON, assert_problem


def embedding_of(item: dict[str, Any]) -> list[float]:
    return [round(number, 6) for number in item["embedding"]]


async def test_added_chunks_follow_those_there_are(api: httpx.AsyncClient, document: str) -> None:
    packed = base64.b64encode(np.array([3, 4], "<f4").tobytes()).decode()
    body = {"chunks": [{"text": "delta", "embedding": packed}, {"text": "e", "embedding": [1, 1]}]}
    added = await api.post(f"{document}/chunks", json=body)
    assert added.status_code == 201
    delta, last = added.json()["items"]
    assert (delta["ordinal"], last["ordinal"]) == (3, 4)
    assert "embedding" not in delta
    read = await api.get(f"/libraries/l/chunks/{delta['id']}?include=embedding")
    assert read.json() == {**delta, "embedding": [3, 4]}


async def test_all_are_taken_or_none(api: httpx.AsyncClient, document: str) -> None:
    fresh = {"id": "new", "text": "n", "embedding": [1, 1]}
    for spoilt, status, pointers in [
        ({"id": "a", "text": "taken", "embedding": [1, 1]}, 409, []),
        ({"id": "new", "text": "twice", "embedding": [1, 1]}, 422, ["/chunks/1/id"]),
        ({"text": "short", "embedding": [1]}, 422, ["/chunks/1/embedding"]),
        ({"text": "zero", "embedding": [0, 0]}, 422, ["/chunks/1/embedding"]),
        ({"text": "huge", "embedding": [1e300, 0]}, 422, ["/chunks/1/embedding/0"]),
        ({"text": "true", "embedding": [0.5, True]}, 422, ["/chunks/1/embedding/1"]),
        ({"text": "text", "embedding": [0.5, "1.5"]}, 422, ["/chunks/1/embedding/1"]),
        ({"text": "null", "embedding": [0.5, None]}, 422, ["/chunks/1/embedding/1"]),
        ({"text": "none", "embedding": []}, 422, ["/chunks/1/embedding"]),
        ({"text": "base64", "embedding": "AAAA!"}, 422, ["/chunks/1/embedding"]),
        ({"text": "object", "embedding": {}}, 422, ["/chunks/1/embedding"]),
        ({"id": "a b", "text": "id", "embedding": [1, 1]}, 422, ["/chunks/1/id"]),
        ({"embedding": [1, 1]}, 422, ["/chunks/1/text"]),
    ]:
        answer = await api.post(f"{document}/chunks", json={"chunks": [fresh, spoilt]})
        assert_problem(answer, status, *pointers)
    assert_problem(await api.get("/libraries/l/chunks/new"), 404)


@pytest.mark.parametrize(
    ("number", "pointer"),
    [
        ("NaN", "/chunks/0/metadata/x/0"),
        ("-Infinity", "/chunks/0/metadata/x/0"),
        ("1e999", "/chunks/0/metadata/x/0"),
        ("9" * 400, "/chunks/0/metadata/x/0"),
    ],
)
async def test_numbers_that_are_none(
    api: httpx.AsyncClient, document: str, number: str, pointer: str
) -> None:
    in_metadata = '{"chunks": [{"text": "t", "embedding": [1, 0], "metadata": {"x": [%s]}}]}'
    answer = await api.post(f"{document}/chunks", content=in_metadata % number, headers=JSON)
    assert_problem(answer, 422, pointer)
    in_embedding = '{"chunks": [{"text": "t", "embedding": [1, %s]}]}'
    answer = await api.post(f"{document}/chunks", content=in_embedding % number, headers=JSON)
    assert_problem(answer, 422, "/chunks/0/embedding/1")
    in_patch = '{"metadata": {"x": [%s]}}'
    answer = await api.patch("/libraries/l/chunks/a", content=in_patch % number, headers=JSON)
    assert_problem(answer, 422, "/metadata/x/0")


@pytest.mark.parametrize("count", [0, 1001])
async def test_how_many_chunks_a_call_takes(
    api: httpx.AsyncClient, document: str, count: int
) -> None:
    chunks = [{"text": "t", "embedding": [1, 0]}] * count
    assert_problem(await api.post(f"{document}/chunks", json={"chunks": chunks}), 422, "/chunks")


async def test_metadata_is_held_against_the_schema(api: httpx.AsyncClient) -> None:
    schema = {"fields": {"year": {"type": "integer", "required": True}}, "additional": False}
    await api.put("/libraries/s", json={"name": "s", "dimension": 1, "metadata_schema": schema})
    await api.put("/libraries/s/documents/d", json={})
    chunks = [
        {"text": "fine", "embedding": [1], "metadata": {"year": 1}},
        {"text": "type", "embedding": [1], "metadata": {"year": True}},
        {"text": "none", "embedding": [1], "metadata": {}},
        {"text": "more", "embedding": [1], "metadata": {"year": 1, "a/b": 2}},
    ]
    answer = await api.post("/libraries/s/documents/d/chunks", json={"chunks": chunks})
    places = ["1/metadata/year", "2/metadata/year", "3/metadata/a~1b"]
    assert_problem(answer, 422, *(f"/chunks/{place}" for place in places))


async def test_put_creates_and_replaces(api: httpx.AsyncClient, document: str) -> None:
    body = {"document_id": "d", "text": "new", "embedding": [1, 1], "metadata": {"n": 9}}
    created = await api.put("/libraries/l/chunks/z", json={**body, "id": "z"})
    assert (created.status_code, created.headers["Location"]) == (201, "/libraries/l/chunks/z")
    replaced = await api.put("/libraries/l/chunks/z", json={**body, "text": "newer"})
    assert replaced.status_code == 200
    assert replaced.json()["ordinal"] == created.json()["ordinal"] == 3
    assert replaced.json()["created_at"] == created.json()["created_at"]
    path = "/libraries/l/chunks/z"
    assert_problem(await api.put(path, json={**body, "document_id": "e"}), 422, "/document_id")
    assert_problem(await api.put(path, json={**body, "id": "y"}), 422, "/id")
    del body["document_id"]
    assert_problem(await api.put(path, json=body), 422, "/document_id")


async def test_patch_of_a_text_needs_an_embedding_where_there_is_no_model(
    api: httpx.AsyncClient, document: str
) -> None:
    path = "/libraries/l/chunks/a"
    assert_problem(await api.patch(path, json={"text": "new"}), 422, "/embedding")
    patched = await api.patch(path, json={"text": "new", "embedding": [0.5, 0.5]})
    assert patched.status_code == 200
    assert patched.json()["metadata"] == {"n": 1, "tags": ["x"]}
    patched = await api.patch(path, json={"metadata": {"n": None}})
    assert patched.json()["metadata"] == {"tags": ["x"]}
    assert embedding_of((await api.get(f"{path}?include=embedding")).json()) == [0.5, 0.5]


async def test_new_text_is_embedded_again(api: httpx.AsyncClient) -> None:
    await api.put("/libraries/t", json={"name": "t"})
    await api.put("/libraries/t/documents/d", json={"chunks": [{"id": "c", "text": "an old cat"}]})
    path = "/libraries/t/chunks/c"
    old = embedding_of((await api.get(f"{path}?include=embedding")).json())
    assert (await api.patch(path, json={"text": "a new house"})).status_code == 200
    new = embedding_of((await api.get(f"{path}?include=embedding")).json())
    assert new != old


async def test_delete(api: httpx.AsyncClient, document: str) -> None:
    assert (await api.delete("/libraries/l/chunks/a")).status_code == 204
    assert_problem(await api.get("/libraries/l/chunks/a"), 404)
    assert_problem(await api.delete("/libraries/l/chunks/a"), 404)


@pytest.mark.parametrize(
    ("body", "deleted"),
    [
        ({"ids": ["a", "c", "none"]}, 2),
        ({"ids": []}, 0),
        ({"filter": {"field": "n", "op": "gt", "value": 1}}, 2),
    ],
)
async def test_delete_of_many(
    api: httpx.AsyncClient, document: str, body: object, deleted: int
) -> None:
    answer = await api.post("/libraries/l/chunks/delete", json=body)
    assert (answer.status_code, answer.json()) == (200, {"deleted": deleted})
    left = (await api.get("/libraries/l/chunks")).json()["items"]
    assert len(left) == 3 - deleted


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"ids": ["a"], "filter": {"field": "n", "op": "eq", "value": 1}}, ""),
        ({"ids": [1]}, "/ids/0"),
        ({"filter": {"field": "n", "op": "like", "value": 1}}, "/filter/op"),
    ],
)
async def test_delete_of_neither_or_both(
    api: httpx.AsyncClient, document: str, body: object, pointer: str
) -> None:
    assert_problem(await api.post("/libraries/l/chunks/delete", json=body), 422, pointer)
    assert len((await api.get("/libraries/l/chunks")).json()["items"]) == 3


@pytest.mark.parametrize(
    ("params", "ids"),
    [
        ({}, "abc"),
        ({"order_by": "-n"}, "cba"),
        ({"filter": json.dumps({"field": "n", "op": "gte", "value": 2})}, "bc"),
        ({"filter": '{"field": "tags", "op": "contains", "value": "x"}'}, "a"),
        ({"filter": '{"field": "chunk.id", "op": "in", "value": ["c", "a"]}'}, "ac"),
        ({"filter": '{"field": "document.title", "op": "eq", "value": "Letters"}'}, "abc"),
    ],
)
async def test_listings_in_pages(
    api: httpx.AsyncClient, document: str, params: dict[str, str], ids: str
) -> None:
    seen = ""
    cursor: dict[str, str] = {}
    while True:
        answer = await api.get("/libraries/l/chunks", params={**params, "limit": "1", **cursor})
        page = answer.json()
        seen += "".join(item["id"] for item in page["items"])
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == ids


def _body(params: dict[str, str]) -> dict[str, Any]:
    """Return the body of the POST that asks for the same as a GET with these parameters."""
    parsed: dict[str, Callable[[str], Any]]
    parsed = {"filter": json.loads, "limit": int, "include": lambda part: [part]}
    return {name: parsed.get(name, str)(value) for name, value in params.items()}


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"order_by": "-n"},
        {"filter": '{ "value": ["c", "a", "b"], "field": "chunk.id", "op": "in"}'},
        {"filter": '{"not": {"field":"n","op":"eq","value":2}}', "order_by": "document.title"},
        {"filter": "null", "include": "embedding"},
    ],
)
async def test_get_and_post_list_the_same_and_take_each_others_cursors(
    api: httpx.AsyncClient, document: str, params: dict[str, str]
) -> None:
    async def get(**more: str) -> dict[str, Any]:
        answer = await api.get("/libraries/l/chunks", params={**params, **more})
        return {"position": answer.headers["Nalanda-Position"], **answer.raise_for_status().json()}

    async def post(**more: str) -> dict[str, Any]:
        answer = await api.post("/libraries/l/chunks/query", json=_body({**params, **more}))
        return {"position": answer.headers["Nalanda-Position"], **answer.raise_for_status().json()}

    assert await get() == await post()
    first = await get(limit="1")
    assert first == await post(limit="1")
    cursor = first["next_cursor"]
    second = await get(limit="1", cursor=cursor)
    assert second == await post(limit="1", cursor=cursor)
    assert second["items"] == (await get())["items"][1:2] != []


async def test_a_filter_that_no_url_can_carry(api: httpx.AsyncClient, document: str) -> None:
    ids = [f"{number:0100}" for number in range(2000)]
    filter_ = {"not": {"field": "chunk.id", "op": "in", "value": [*ids, "b"]}}
    assert len(json.dumps(filter_)) > 3 * 64 * 1024
    first = await api.post("/libraries/l/chunks/query", json={"filter": filter_, "limit": 1})
    cursor = first.json()["next_cursor"]
    rest = await api.post("/libraries/l/chunks/query", json={"filter": filter_, "cursor": cursor})
    assert [item["id"] for item in first.json()["items"] + rest.json()["items"]] == ["a", "c"]


async def test_a_cursor_of_another_filter(api: httpx.AsyncClient, document: str) -> None:
    filter_ = {"field": "n", "op": "gt", "value": 0}
    body = {"filter": filter_, "order_by": "n", "limit": 1}
    cursor = (await api.post("/libraries/l/chunks/query", json=body)).json()["next_cursor"]
    for other in (
        {"filter": {**filter_, "value": 1}, "order_by": "n"},
        {"filter": filter_, "order_by": "-n"},
        {"filter": filter_},
        {"order_by": "n"},
    ):
        answer = await api.post("/libraries/l/chunks/query", json={**other, "cursor": cursor})
        assert_problem(answer, 422, "/cursor")
        params = {k: v if isinstance(v, str) else json.dumps(v) for k, v in other.items()}
        answer = await api.get("/libraries/l/chunks", params={**params, "cursor": cursor})
        assert_problem(answer, 422, "/cursor")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"limit": 0}, "/limit"),
        ({"limit": 1001}, "/limit"),
        ({"limit": "1"}, "/limit"),
        ({"limit": True}, "/limit"),
        ({"include": "embedding"}, "/include"),
        ({"include": ["text"]}, "/include/0"),
        ({"cursor": "made-up"}, "/cursor"),
        ({"cursor": 1}, "/cursor"),
        ({"filter": "{}"}, "/filter"),
        ({"filter": {"field": "document.colour", "op": "eq", "value": 1}}, "/filter/field"),
        ({"order_by": "document.colour"}, "/order_by"),
        ({"order_by": 1}, "/order_by"),
        ({"document_id": "d"}, "/document_id"),
    ],
)
async def test_a_listing_by_post_that_breaks_a_rule(
    api: httpx.AsyncClient, document: str, body: dict[str, Any], pointer: str
) -> None:
    assert_problem(await api.post("/libraries/l/chunks/query", json=body), 422, pointer)


async def test_chunks_of_a_document_in_pages(api: httpx.AsyncClient, document: str) -> None:
    first = (await api.get(f"{document}/chunks?limit=2&include=embedding")).json()
    rest = await api.get(f"{document}/chunks", params={"cursor": first["next_cursor"]})
    assert [item["id"] for item in first["items"] + rest.json()["items"]] == ["a", "b", "c"]
    assert embedding_of(first["items"][1]) == [0.6, 0.8]


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"limit": "0"}, "/limit"),
        ({"limit": "1001"}, "/limit"),
        ({"limit": "many"}, "/limit"),
        ({"include": "everything"}, "/include"),
        ({"cursor": "made-up"}, "/cursor"),
        ({"cursor": "ü"}, "/cursor"),
        ({"filter": "{"}, "/filter"),
        ({"filter": ""}, "/filter"),
        ({"filter": '{"field": "n", "op": "eq", "value": NaN}'}, "/filter/value"),
        ({"filter": '{"field": "n", "op": "eq", "valeu": 1}'}, "/filter"),
        ({"filter": '{"field": "document.colour", "op": "eq", "value": 1}'}, "/filter/field"),
        ({"order_by": "document.colour"}, "/order_by"),
    ],
)
async def test_parameters_that_break_a_rule(
    api: httpx.AsyncClient, document: str, params: dict[str, str], pointer: str
) -> None:
    answer = await api.get("/libraries/l/chunks", params=params)
    assert answer.status_code == 422, answer.text
    assert any(fault["pointer"].startswith(pointer) for fault in answer.json()["errors"])


async def test_a_cursor_is_of_its_listing_alone(api: httpx.AsyncClient, document: str) -> None:
    given = (await api.get("/libraries/l/chunks?limit=1&order_by=n")).json()["next_cursor"]
    for path in (
        "/libraries/l/chunks?order_by=-n",
        "/libraries/l/chunks?",
        "/libraries?",
        f"{document}/chunks?",
    ):
        assert_problem(await api.get(f"{path}&cursor={given}"), 422, "/cursor")
    for spoilt in (given[:-1], given + "A", "A" + given, given.swapcase()):
        path = f"/libraries/l/chunks?order_by=n&cursor={spoilt}"
        assert_problem(await api.get(path), 422, "/cursor")
