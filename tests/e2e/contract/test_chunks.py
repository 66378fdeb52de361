"""Chunks over HTTP."""

import json
from typing import Any

import httpx
import pytest

from tests.integration.api.calls import assert_problem


def test_add_is_all_or_nothing(http: httpx.Client, library: str, document: str) -> None:
    new = {"id": "c", "text": "Third.", "embedding": [0, 0, 1]}
    taken = {"id": "a", "text": "Again.", "embedding": [0, 0, 1]}

    assert_problem(http.post(f"{document}/chunks", json={"chunks": [new, taken]}), 409)
    assert_problem(http.get(f"/libraries/{library}/chunks/c"), 404)
    added = http.post(f"{document}/chunks", json={"chunks": [new]})

    assert added.status_code == 201
    (chunk,) = added.json()["items"]
    assert (chunk["id"], chunk["ordinal"], chunk["metadata"]) == ("c", 2, {})
    assert chunk["version"] == int(added.headers["Nalanda-Position"])


def test_add_a_thousand_at_once_and_no_more(http: httpx.Client, document: str) -> None:
    chunks = [{"text": str(i), "embedding": [1, 0, i]} for i in range(1001)]

    assert_problem(http.post(f"{document}/chunks", json={"chunks": chunks}), 422, "/chunks")
    assert_problem(http.post(f"{document}/chunks", json={"chunks": []}), 422, "/chunks")
    added = http.post(f"{document}/chunks", json={"chunks": chunks[:1000]})

    assert added.status_code == 201
    assert [item["ordinal"] for item in added.json()["items"]] == list(range(2, 1002))


def test_list_of_a_document_in_its_order_page_by_page(http: httpx.Client, document: str) -> None:
    first = http.get(f"{document}/chunks", params={"limit": 1}).json()
    second = http.get(
        f"{document}/chunks", params={"limit": 1, "cursor": first["next_cursor"]}
    ).json()

    assert [chunk["id"] for chunk in first["items"] + second["items"]] == ["a", "b"]
    assert second["next_cursor"] is None
    assert "embedding" not in first["items"][0]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ["a", "b"]),
        ({"order_by": "-year"}, ["b", "a"]),
        ({"order_by": "year"}, ["a", "b"]),
        ({"order_by": "document.title"}, ["a", "b"]),
        ({"filter": {"field": "year", "op": "gt", "value": 2001}}, ["b"]),
        ({"filter": {"field": "year", "op": "gt", "value": 2002}}, []),
    ],
)
def test_list_of_a_library(
    http: httpx.Client,
    library: str,
    document: str,
    parameters: dict[str, Any],
    expected: list[str],
) -> None:
    wanted = {k: v if isinstance(v, str) else json.dumps(v) for k, v in parameters.items()}
    ids, cursor = [], None
    while True:
        page = httpx.QueryParams({**wanted, "limit": 1, **({"cursor": cursor} if cursor else {})})
        answer = http.get(f"/libraries/{library}/chunks", params=page).json()
        ids += [chunk["id"] for chunk in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break

    assert ids == expected


def test_list_of_a_library_by_a_filter_that_no_url_can_carry(
    http: httpx.Client, library: str, document: str
) -> None:
    path = f"/libraries/{library}/chunks"
    years = {
        "field": "year",
        "op": "in",
        "value": [2001.5 + n for n in range(9_998)] + [2001, 2002],
    }
    body = {"filter": years, "order_by": "-year", "limit": 1, "include": ["embedding"]}

    assert len(json.dumps(years)) > 64 * 1024
    first = http.post(f"{path}/query", json=body).json()
    second = http.post(f"{path}/query", json={**body, "cursor": first["next_cursor"]}).json()

    items = first["items"] + second["items"]
    assert [(item["id"], item["embedding"]) for item in items] == [
        ("b", [0, 1, 0]),
        ("a", [1, 0, 0]),
    ]
    assert second["next_cursor"] is None


def test_get_with_its_embedding(http: httpx.Client, library: str, document: str) -> None:
    path = f"/libraries/{library}/chunks/a"

    assert "embedding" not in http.get(path).json()
    chunk = http.get(path, params={"include": "embedding"}).json()
    assert (chunk["text"], chunk["embedding"]) == ("First.", [1, 0, 0])
    assert chunk["library_id"] == library
    assert document.endswith(chunk["document_id"])


def test_put_creates_and_replaces(http: httpx.Client, library: str, document: str) -> None:
    path = f"/libraries/{library}/chunks/own"
    chunk = {"document_id": document.rsplit("/", 1)[1], "text": "Own.", "embedding": [0, 0, 1]}

    created = http.put(path, json=chunk)
    replaced = http.put(path, json={**chunk, "id": "own", "text": "Other."})

    assert (created.status_code, created.headers["Location"]) == (201, path)
    assert (replaced.status_code, replaced.json()["text"]) == (200, "Other.")
    assert replaced.json()["ordinal"] == created.json()["ordinal"] == 2
    assert_problem(http.put(path, json={**chunk, "id": "other"}), 422, "/id")
    assert_problem(http.put(path, json={**chunk, "document_id": "none"}), 422, "/document_id")


def test_patch_merges(http: httpx.Client, library: str, document: str) -> None:
    path = f"/libraries/{library}/chunks/a"

    patched = http.patch(path, json={"metadata": {"year": None, "kind": "x"}})
    moved = http.patch(path, json={"text": "Moved.", "embedding": [0, 0, 2]})

    assert (patched.status_code, patched.json()["metadata"]) == (200, {"kind": "x"})
    assert (moved.json()["text"], moved.json()["metadata"]) == ("Moved.", {"kind": "x"})
    result = http.post(f"/libraries/{library}/search", json={"embedding": [0, 0, 1], "k": 1}).json()
    assert (result["hits"][0]["chunk_id"], result["hits"][0]["score"]) == ("a", 1.0)


def test_new_text_without_an_embedding_is_embedded_again(http: httpx.Client, name: str) -> None:
    http.post("/libraries", json={"name": name})
    http.put(f"/libraries/{name}/documents/d", json={"chunks": [{"id": "c", "text": "Horses."}]})
    path = f"/libraries/{name}/chunks/c"

    def embedding() -> object:
        return http.get(path, params={"include": "embedding"}).json()["embedding"]

    horses = embedding()
    http.patch(path, json={"metadata": {"n": 1}})
    assert embedding() == horses
    http.patch(path, json={"text": "Palm-leaf manuscripts."})
    assert embedding() != horses
    http.put(path, json={"document_id": "d", "text": "Horses."})
    assert embedding() == horses


def test_delete_one(http: httpx.Client, library: str, document: str) -> None:
    deleted = http.delete(f"/libraries/{library}/chunks/a")

    assert deleted.status_code == 204
    assert_problem(http.get(f"/libraries/{library}/chunks/a"), 404)
    assert [c["id"] for c in http.get(f"{document}/chunks").json()["items"]] == ["b"]


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({"ids": ["a", "nowhere"]}, ["b"]),
        ({"ids": []}, ["a", "b"]),
        ({"filter": {"field": "year", "op": "exists", "value": True}}, []),
        ({"filter": {"field": "document.title", "op": "eq", "value": "T"}}, []),
        ({"filter": {"field": "year", "op": "lt", "value": 2002}}, ["b"]),
    ],
)
def test_delete_many(
    http: httpx.Client, library: str, document: str, body: dict[str, Any], left: list[str]
) -> None:
    deleted = http.post(f"/libraries/{library}/chunks/delete", json=body)

    assert (deleted.status_code, deleted.json()) == (200, {"deleted": 2 - len(left)})
    remaining = http.get(f"/libraries/{library}/chunks").json()["items"]
    assert [chunk["id"] for chunk in remaining] == left
