"""`/libraries` over HTTP."""

import httpx

from tests.integration.api.calls import assert_problem


def test_create_and_read_by_id_and_by_name(http: httpx.Client, name: str) -> None:
    body = {
        "name": name,
        "description": "What we read",
        "metadata": {"owner": {"name": "Ānanda"}},
        "metadata_schema": {
            "fields": {"year": {"type": "integer", "required": True}},
            "additional": False,
        },
        "dimension": 3,
        "metric": "l2",
        "index": {"kind": "flat"},
        "language": "french",
    }

    created = http.post("/libraries", json=body)

    library = created.json()
    assert created.status_code == 201
    assert created.headers["Location"] == f"/libraries/{library['id']}"
    assert created.headers["ETag"] == f'"{library["version"]}"'
    assert int(created.headers["Nalanda-Position"]) == library["version"]
    expected = {**body, "embedding_model": None}
    expected["metadata_schema"] = {
        "fields": {"year": {"type": "integer", "required": True}},
        "additional": False,
    }
    assert {key: library[key] for key in expected} == expected
    for ref in (library["id"], name):
        read = http.get(f"/libraries/{ref}")
        assert (read.status_code, read.json()) == (200, library)
        assert read.headers["ETag"] == created.headers["ETag"]


def test_list_page_by_page_and_by_name(http: httpx.Client, name: str) -> None:
    ids = {http.post("/libraries", json={"name": f"{name}{i}"}).json()["id"] for i in range(3)}

    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = http.get("/libraries", params={"limit": 2, **cursor}).json()
        assert len(page["items"]) <= 2
        seen += [library["id"] for library in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert ids <= set(seen)
    assert len(seen) == len(set(seen))
    one = http.get("/libraries", params={"name": f"{name}1"}).json()
    assert [library["name"] for library in one["items"]] == [f"{name}1"]
    assert one["next_cursor"] is None


def test_put_creates_and_then_replaces(http: httpx.Client, name: str) -> None:
    path = f"/libraries/{name}-id"

    created = http.put(path, json={"name": name, "description": "first"})
    replaced = http.put(path, json={"name": name})

    assert (created.status_code, created.headers["Location"]) == (201, path)
    assert (replaced.status_code, replaced.json()["description"]) == (200, None)
    assert replaced.json()["created_at"] == created.json()["created_at"]
    assert replaced.json()["version"] > created.json()["version"]


def test_patch_merges(http: httpx.Client, name: str) -> None:
    metadata = {"keep": 1, "drop": 2, "inner": {"keep": 3, "drop": 4}}
    http.post("/libraries", json={"name": name, "description": "D", "metadata": metadata})
    patch = {"description": None, "metadata": {"drop": None, "inner": {"drop": None, "new": [5]}}}

    patched = http.patch(f"/libraries/{name}", json=patch)

    assert patched.status_code == 200
    assert patched.json()["description"] is None
    assert patched.json()["metadata"] == {"keep": 1, "inner": {"keep": 3, "new": [5]}}
    assert http.get(f"/libraries/{name}").json() == patched.json()


def test_delete_takes_all_below_it(http: httpx.Client, library: str, document: str) -> None:
    deleted = http.delete(f"/libraries/{library}")

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert int(deleted.headers["Nalanda-Position"]) > 0
    for path in (f"/libraries/{library}", document, f"/libraries/{library}/chunks/a"):
        assert_problem(http.get(path), 404)
    # A new library under the same id has nothing of the old one's.
    http.put(f"/libraries/{library}", json={"name": f"again-{library}"})
    assert http.get(f"/libraries/{library}/documents").json()["items"] == []
    assert http.get(f"/libraries/{library}/index").json()["vectors"] == 0


def test_a_library_without_a_model_takes_the_default_with_its_first_text(
    http: httpx.Client, name: str
) -> None:
    http.post("/libraries", json={"name": name})
    assert http.get(f"/libraries/{name}").json()["embedding_model"] is None

    http.post(f"/libraries/{name}/documents", json={"chunks": [{"text": "A text."}]})

    settled = http.get(f"/libraries/{name}").json()
    assert settled["embedding_model"]
    assert settled["dimension"] == 256


def test_a_library_without_a_model_has_none_once_a_vector_came_first(
    http: httpx.Client, name: str
) -> None:
    http.post("/libraries", json={"name": name})
    path = f"/libraries/{name}/documents"
    http.post(path, json={"chunks": [{"text": "A text.", "embedding": [1, 2]}]})

    settled = http.get(f"/libraries/{name}").json()
    assert (settled["embedding_model"], settled["dimension"]) == (None, 2)
    assert_problem(http.post(path, json={"chunks": [{"text": "T"}]}), 422, "/chunks/0/embedding")
    patched = http.patch(f"/libraries/{name}", json={"dimension": 3, "metric": "dot"})
    assert_problem(patched, 422, "/dimension", "/metric")
