"""Entity tags, positions and idempotency keys, which all resources share."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.integration.api.calls import assert_problem

Bodies = dict[str, Any]


@pytest.fixture(params=["library", "document", "chunk"])
def entity(request: pytest.FixtureRequest, library: str, document: str) -> tuple[str, Bodies]:
    """Return the path of an entity, and a body that replaces it."""
    document_id = document.rsplit("/", 1)[1]
    chunk = {"document_id": document_id, "text": "New.", "embedding": [1, 1, 1]}
    entities: dict[str, tuple[str, Bodies]] = {
        "library": (f"/libraries/{library}", {"name": f"new-{library}", "dimension": 3}),
        "document": (document, {"title": "New"}),
        "chunk": (f"/libraries/{library}/chunks/a", chunk),
    }
    return entities[request.param]


def _writes(http: httpx.Client, entity: tuple[str, Bodies]) -> dict[str, Callable[..., Any]]:
    path, body = entity
    return {
        "put": lambda headers: http.put(path, json=body, headers=headers),
        "patch": lambda headers: http.patch(path, json={"metadata": {}}, headers=headers),
        "delete": lambda headers: http.delete(path, headers=headers),
    }


@pytest.mark.parametrize("write", ["put", "patch", "delete"])
def test_if_match(http: httpx.Client, entity: tuple[str, Bodies], write: str) -> None:
    path, _ = entity
    write_with = _writes(http, entity)[write]
    old = http.get(path).headers["ETag"]
    current = http.patch(path, json={"metadata": {"n": 1}}).headers["ETag"]
    before = http.get(path)

    for stale in (old, '"0"', f"W/{current}"):
        assert_problem(write_with({"If-Match": stale}), 412)
    assert_problem(write_with({"If-Match": "no tag"}), 400)
    after = http.get(path)
    assert after.json() == before.json()
    assert after.headers["Nalanda-Position"] == before.headers["Nalanda-Position"]

    assert write_with({"If-Match": f"{old}, {current}"}).is_success


def test_if_none_match_on_a_write(http: httpx.Client, entity: tuple[str, Bodies]) -> None:
    path, body = entity

    assert_problem(http.put(path, json=body, headers={"If-None-Match": "*"}), 412)
    absent = path.rsplit("/", 1)[0] + "/brand-new"
    new = {**body, "name": "brand-new-name"} if "name" in body else body
    assert_problem(http.put(absent, json=new, headers={"If-Match": "*"}), 412)
    assert http.put(absent, json=new, headers={"If-None-Match": "*"}).status_code == 201
    assert http.delete(absent, headers={"If-Match": "*"}).status_code == 204


def test_if_none_match_on_a_read(http: httpx.Client, entity: tuple[str, Bodies]) -> None:
    path, _ = entity
    tag = http.get(path).headers["ETag"]

    for known in (tag, f"W/{tag}", f'"0", {tag}', "*"):
        unchanged = http.get(path, headers={"If-None-Match": known})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["ETag"] == tag
        assert "Nalanda-Position" in unchanged.headers
    assert http.get(path, headers={"If-None-Match": '"0"'}).status_code == 200


def test_a_stale_if_match_on_the_index(http: httpx.Client, library: str) -> None:
    put = http.put(
        f"/libraries/{library}/index", json={"kind": "flat"}, headers={"If-Match": '"0"'}
    )
    assert_problem(put, 412)
    assert http.get(f"/libraries/{library}/index").json()["kind"] == "auto"


def test_each_write_moves_the_position_by_one_and_reads_carry_it(
    http: httpx.Client, entity: tuple[str, Bodies]
) -> None:
    path, _ = entity
    before = int(http.get(path).headers["Nalanda-Position"])

    for i in range(1, 4):
        written = http.patch(path, json={"metadata": {"n": i}})
        assert int(written.headers["Nalanda-Position"]) == before + i
        assert written.json()["version"] == before + i
    assert int(http.get(path).headers["Nalanda-Position"]) == before + 3


def test_every_answer_about_a_library_carries_its_position(
    http: httpx.Client, library: str, document: str
) -> None:
    position = http.get(document).headers["Nalanda-Position"]
    search = {"embedding": [1, 0, 0]}
    answers = [
        http.get("/libraries"),
        *(http.get(f"/libraries/{library}{of}") for of in ("", "/documents", "/chunks", "/index")),
        http.get(f"{document}/chunks"),
        http.get(f"/libraries/{library}/chunks/a"),
        http.post(f"/libraries/{library}/chunks/query", json={}),
        http.post(f"/libraries/{library}/search", json=search),
        http.post(f"/libraries/{library}/search/batch", json={"searches": [search]}),
        http.get("/query", params={"library": library}),
    ]
    assert {answer.headers["Nalanda-Position"] for answer in answers} == {position}


@pytest.mark.parametrize("of", ["", "/documents", "/chunks", "/chunks/a", "/index"])
def test_min_position(http: httpx.Client, library: str, document: str, of: str) -> None:
    path = f"/libraries/{library}{of}"
    reached = int(http.get(path).headers["Nalanda-Position"])

    assert http.get(path, headers={"Nalanda-Min-Position": str(reached)}).status_code == 200
    too_far = http.get(path, headers={"Nalanda-Min-Position": str(reached + 1_000)})
    assert_problem(too_far, 503)
    assert int(too_far.headers["Retry-After"]) >= 1
    for nonsense in ("-1", "soon"):
        refused = http.get(path, headers={"Nalanda-Min-Position": nonsense})
        assert_problem(refused, 422, "/Nalanda-Min-Position")


def test_min_position_of_a_search(http: httpx.Client, library: str, document: str) -> None:
    ahead = {"Nalanda-Min-Position": str(10**12)}
    path, search = f"/libraries/{library}/search", {"embedding": [1, 0, 0]}

    assert_problem(http.post(path, json=search, headers=ahead), 503)
    assert_problem(http.post(f"/libraries/{library}/chunks/query", json={}, headers=ahead), 503)
    assert_problem(http.post(f"{path}/batch", json={"searches": [search]}, headers=ahead), 503)


@pytest.fixture(params=["library", "document", "chunks", "delete"])
def post(request: pytest.FixtureRequest, library: str, document: str) -> tuple[str, Bodies]:
    """Return a path and a body to post."""
    chunk = {"text": "T", "embedding": [1, 1, 1]}
    posts: dict[str, tuple[str, Bodies]] = {
        "library": ("/libraries", {"name": f"posted-{library}"}),
        "document": (f"/libraries/{library}/documents", {"chunks": [chunk]}),
        "chunks": (f"{document}/chunks", {"chunks": [chunk]}),
        "delete": (f"/libraries/{library}/chunks/delete", {"ids": ["a"]}),
    }
    return posts[request.param]


def test_an_idempotency_key_makes_a_post_happen_once(
    http: httpx.Client, library: str, post: tuple[str, Bodies]
) -> None:
    path, body = post
    key = {"Idempotency-Key": f"key-{library}"}

    first = http.post(path, json=body, headers=key)
    again = http.post(path, json=body, headers=key)

    assert first.is_success
    assert "Idempotent-Replayed" not in first.headers
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    for name in ("Location", "ETag", "Nalanda-Position"):
        assert again.headers.get(name) == first.headers.get(name)
    now = http.get("/libraries", params={"limit": 1}).headers["Nalanda-Position"]
    assert now == first.headers["Nalanda-Position"]
    other = http.post("/libraries", json={"name": f"other-{library}"}, headers=key)
    assert_problem(other, 422, "/Idempotency-Key")


def test_a_call_that_failed_may_be_tried_again_under_its_key(
    http: httpx.Client, library: str, document: str
) -> None:
    key = {"Idempotency-Key": f"failed-{library}"}
    wrong = {"chunks": [{"text": "T", "embedding": [1]}]}
    right = {"chunks": [{"text": "T", "embedding": [1, 1, 1]}]}

    assert http.post(f"{document}/chunks", json=wrong, headers=key).status_code == 422
    assert http.post(f"{document}/chunks", json=right, headers=key).status_code == 201
