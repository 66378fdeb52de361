"""`/libraries/{library_id}/documents` over HTTP."""

from typing import Any

import httpx
import pytest

from tests.integration.api.calls import assert_problem


def test_create_with_chunks(http: httpx.Client, library: str) -> None:
    body = {"title": "T", "source": "https://example.com/t", "metadata": {"lang": "en"}}
    chunks = [
        {"id": "own", "text": "One.", "embedding": [1, 0, 0], "metadata": {"n": 1}},
        {"text": "Two.", "embedding": "AACAPwAAAAAAAAAA"},
    ]

    created = http.post(f"/libraries/{library}/documents", json={**body, "chunks": chunks})

    document = created.json()
    path = f"/libraries/{library}/documents/{document['id']}"
    assert created.status_code == 201
    assert created.headers["Location"] == path
    assert created.headers["ETag"] == f'"{document["version"]}"'
    assert int(created.headers["Nalanda-Position"]) == document["version"]
    assert {key: document[key] for key in body} == body
    assert document["library_id"] == library
    assert http.get(path).json() == document
    items = http.get(f"{path}/chunks", params={"include": "embedding"}).json()["items"]
    assert [(c["text"], c["ordinal"], c["embedding"]) for c in items] == [
        ("One.", 0, [1, 0, 0]),
        ("Two.", 1, [1, 0, 0]),
    ]
    assert items[0]["id"] == "own"


def test_create_with_text_that_the_server_splits_and_embeds(http: httpx.Client, name: str) -> None:
    http.post("/libraries", json={"name": name})
    text = "\n\n".join(f"Paragraph {i} is about the number {i}. " * 12 for i in range(20))

    created = http.post(f"/libraries/{name}/documents", json={"text": text})

    assert created.status_code == 201
    chunks = http.get(f"{created.headers['Location']}/chunks?include=embedding").json()["items"]
    assert len(chunks) > 1
    assert [chunk["ordinal"] for chunk in chunks] == list(range(len(chunks)))
    assert all(chunk["text"] in text for chunk in chunks)
    assert {len(chunk["embedding"]) for chunk in chunks} == {256}


def test_a_media_type_gives_clean_chunks_and_a_title(http: httpx.Client, name: str) -> None:
    http.post("/libraries", json={"name": name})
    path = f"/libraries/{name}/documents"
    text = "---\ntitle: Ports\n---\n\n# The *harbour*\n\nIt is [deep](x)."

    created = http.post(path, json={"text": text, "media_type": "text/markdown; charset=utf-8"})
    named = {"text": "words", "media_type": "text/markdown", "source": "file:///a/b%20c.md"}
    own = {**named, "title": "Own"}

    assert created.json()["title"] == "Ports"
    items = http.get(f"{created.headers['Location']}/chunks").json()["items"]
    assert [chunk["text"] for chunk in items] == ["# The harbour\n\nIt is deep."]
    assert items[0]["place"] == {
        "title": "Ports",
        "headings": ["The harbour"],
        "page": None,
        "box": None,
        "line": 5,
    }
    assert http.post(path, json=named).json()["title"] == "b c.md"
    assert http.post(path, json=own).json()["title"] == "Own"
    assert http.post(path, json={"text": text}).json()["title"] is None


@pytest.mark.parametrize(
    "body", [{"text": "x", "media_type": "image/png"}, {"media_type": "text/html"}]
)
def test_a_media_type_that_is_unknown_or_of_nothing(
    http: httpx.Client, library: str, body: dict[str, str]
) -> None:
    assert_problem(http.post(f"/libraries/{library}/documents", json=body), 422, "/media_type")


def test_list_page_by_page(http: httpx.Client, library: str) -> None:
    path = f"/libraries/{library}/documents"
    ids = [http.post(path, json={"title": str(i)}).json()["id"] for i in range(3)]

    first = http.get(path, params={"limit": 2}).json()
    second = http.get(path, params={"limit": 2, "cursor": first["next_cursor"]}).json()

    assert [document["id"] for document in first["items"] + second["items"]] == sorted(ids)
    assert second["next_cursor"] is None


def test_put_creates_replaces_and_keeps_or_replaces_chunks(
    http: httpx.Client, library: str
) -> None:
    path = f"/libraries/{library}/documents/own"
    chunk = {"id": "c", "text": "Old.", "embedding": [1, 0, 0]}

    created = http.put(path, json={"title": "Old", "chunks": [chunk]})
    renamed = http.put(path, json={"title": "New"})
    old = http.get(f"{path}/chunks").json()["items"]
    replaced = http.put(path, json={"title": "New", "chunks": [{**chunk, "text": "New."}]})

    assert (created.status_code, created.headers["Location"]) == (201, path)
    assert (renamed.status_code, renamed.json()["title"]) == (200, "New")
    assert [chunk["text"] for chunk in old] == ["Old."]
    assert replaced.status_code == 200
    (new,) = http.get(f"{path}/chunks").json()["items"]
    assert (new["text"], new["created_at"]) == ("New.", old[0]["created_at"])


def test_patch_merges(http: httpx.Client, document: str) -> None:
    patch = {"title": None, "metadata": {"lang": "sa"}}

    patched = http.patch(
        document, json=patch, headers={"Content-Type": "application/merge-patch+json"}
    )

    assert patched.status_code == 200
    assert (patched.json()["title"], patched.json()["metadata"]) == (None, {"lang": "sa"})
    assert patched.headers["ETag"] == f'"{patched.json()["version"]}"'
    assert len(http.get(f"{document}/chunks").json()["items"]) == 2


def test_delete_takes_its_chunks(http: httpx.Client, library: str, document: str) -> None:
    assert http.delete(document).status_code == 204

    assert_problem(http.get(document), 404)
    assert_problem(http.get(f"/libraries/{library}/chunks/a"), 404)
    search = {"embedding": [1, 0, 0]}
    assert http.post(f"/libraries/{library}/search", json=search).json()["hits"] == []
    assert_problem(http.delete(document), 404)


def test_list_by_ids(http: httpx.Client, library: str) -> None:
    path = f"/libraries/{library}/documents"
    for id_ in "abc":
        http.put(f"{path}/{id_}", json={"title": id_})
    wanted: dict[str, Any] = {"id": ["c", "a", "?", "c"], "limit": 1}

    first = http.get(path, params=wanted).json()
    second = http.get(path, params={**wanted, "cursor": first["next_cursor"]}).json()

    assert [document["id"] for document in first["items"] + second["items"]] == ["a", "c"]
    assert second["next_cursor"] is None
    assert http.get(path, params={"id": "?"}).json() == {"items": [], "next_cursor": None}
    assert_problem(http.get(path, params={"id": ["a"] * 101}), 422, "/id")


def test_delete_many_at_their_versions(http: httpx.Client, library: str) -> None:
    path = f"/libraries/{library}/documents"
    chunk = {"text": "T.", "embedding": [1, 0, 0]}
    versions = {
        id_: http.put(f"{path}/{id_}", json={"chunks": [chunk]}).json()["version"] for id_ in "abc"
    }
    wanted = [
        {"id": "a", "version": versions["a"]},
        {"id": "b", "version": versions["b"] + 1},
        {"id": "c"},
        {"id": "?"},
    ]

    deleted = http.post(f"{path}/delete", json={"documents": wanted})

    assert deleted.status_code == 200
    assert deleted.json() == {"deleted": 2, "changed": ["b"]}
    assert int(deleted.headers["Nalanda-Position"]) == versions["c"] + 1
    assert [document["id"] for document in http.get(path).json()["items"]] == ["b"]
    search = {"embedding": [1, 0, 0]}
    hits = http.post(f"/libraries/{library}/search", json=search).json()["hits"]
    assert [hit["document_id"] for hit in hits] == ["b"]
    again = http.post(f"{path}/delete", json={"documents": wanted})
    assert again.json() == {"deleted": 0, "changed": ["b"]}


def test_delete_many_with_bad_input(http: httpx.Client, library: str) -> None:
    path = f"/libraries/{library}/documents/delete"
    assert_problem(http.post(path, json={"documents": []}), 422, "/documents")
    assert_problem(http.post(path, json={"documents": [{"id": "a"}] * 1001}), 422, "/documents")
    one = {"documents": [{"id": "a", "version": "1"}]}
    assert_problem(http.post(path, json=one), 422, "/documents/0/version")
    assert_problem(
        http.post("/libraries/none/documents/delete", json={"documents": [{"id": "a"}]}), 404
    )
