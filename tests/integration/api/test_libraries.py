import httpx
import pytest

from tests.integration.api.calls import assert_problem

SCHEMA = {
    "fields": {
        "year": {"type": "integer", "required": True},
        "kind": {"type": "string", "required": False, "enum": ["article", "book"]},
    },
    "additional": False,
}


async def test_what_was_created_is_found_by_id_and_by_name(api: httpx.AsyncClient) -> None:
    body = {
        "name": "papers",
        "description": "What we read",
        "metadata": {"owner": {"name": "me"}},
        "metadata_schema": SCHEMA,
        "dimension": 3,
        "metric": "l2",
        "index": {"kind": "hnsw", "m": 8},
    }
    created = await api.post("/libraries", json=body)
    assert created.status_code == 201
    library = created.json()
    assert {name: library[name] for name in body} == body
    assert created.headers["Location"] == f"/libraries/{library['id']}"
    assert created.headers["ETag"] == f'"{library["version"]}"'
    assert created.headers["Nalanda-Position"] == str(library["version"])
    for ref in (library["id"], "papers"):
        assert (await api.get(f"/libraries/{ref}")).json() == library


async def test_what_is_left_out_has_a_default(api: httpx.AsyncClient) -> None:
    library = (await api.post("/libraries", json={"name": "bare"})).json()
    assert library["description"] is None
    assert library["metadata"] == {}
    assert library["metadata_schema"] is None
    assert library["dimension"] is None
    assert library["metric"] == "cosine"
    assert library["index"] == {"kind": "auto"}
    assert library["embedding_model"] is None
    assert library["language"] == "english"


async def test_put_creates_and_replaces(api: httpx.AsyncClient) -> None:
    created = await api.put("/libraries/mine", json={"name": "n", "description": "old"})
    assert (created.status_code, created.headers["Location"]) == (201, "/libraries/mine")
    replaced = await api.put("/libraries/mine", json={"name": "m"})
    assert replaced.status_code == 200
    assert replaced.json()["description"] is None
    assert replaced.json()["created_at"] == created.json()["created_at"]


async def test_patch_merges_and_null_resets(api: httpx.AsyncClient) -> None:
    body = {"name": "n", "description": "d", "metadata": {"a": {"b": 1, "c": 2}}, "metric": "dot"}
    await api.put("/libraries/l", json=body)
    patch = {"metadata": {"a": {"b": None, "d": 3}}, "description": None, "metric": None}
    patched = await api.patch(
        "/libraries/n", json=patch, headers={"Content-Type": "application/merge-patch+json"}
    )
    assert patched.status_code == 200, patched.text
    library = patched.json()
    assert library["metadata"] == {"a": {"c": 2, "d": 3}}
    assert library["description"] is None
    assert library["metric"] == "cosine"
    assert library["name"] == "n"


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"name": None}, "/name"),
        ({"dimension": "3"}, "/dimension"),
        ({"unknown": 1}, "/unknown"),
        ({"metadata": 1}, "/metadata"),
        ([], ""),
    ],
)
async def test_what_comes_out_of_a_patch_is_checked(
    api: httpx.AsyncClient, library: str, patch: object, pointer: str
) -> None:
    assert_problem(await api.patch(f"/libraries/{library}", json=patch), 422, pointer)


async def test_delete_takes_all_below(api: httpx.AsyncClient, document: str) -> None:
    deleted = await api.delete("/libraries/l")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert int(deleted.headers["Nalanda-Position"]) > 0
    assert_problem(await api.get("/libraries/l"), 404)
    assert_problem(await api.get(document), 404)
    assert_problem(await api.delete("/libraries/l"), 404)


async def test_a_name_is_given_once(api: httpx.AsyncClient, library: str) -> None:
    assert_problem(await api.post("/libraries", json={"name": "planar"}), 409)
    assert_problem(await api.put("/libraries/other", json={"name": "planar"}), 409)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/name"]),
        ({"name": 1}, ["/name"]),
        ({"name": ""}, ["/name"]),
        ({"name": "a/b"}, ["/name"]),
        ({"name": "x" * 129}, ["/name"]),
        ({"name": "n", "dimension": 0}, ["/dimension"]),
        ({"name": "n", "dimension": 3.0}, ["/dimension"]),
        ({"name": "n", "dimension": True}, ["/dimension"]),
        ({"name": "n", "metric": "cos"}, ["/metric"]),
        ({"name": "n", "language": "klingon"}, ["/language"]),
        ({"name": "n", "embedding_model": "no-such"}, ["/embedding_model"]),
        ({"name": "n", "index": {"kind": "flat", "m": 8}}, ["/index/m"]),
        ({"name": "n", "index": {}}, ["/index/kind"]),
        ({"name": "n", "colour": "red", "size": 1}, ["/colour", "/size"]),
        ({"name": "n", "metadata": {"a/b": [2**64]}}, ["/metadata/a~1b/0"]),
        (
            {"name": "n", "metadata_schema": {"fields": {"a": {"type": "text"}}}},
            ["/metadata_schema/fields/a/type"],
        ),
        (
            {"name": "n", "metadata_schema": {"fields": {"a": {"type": "string", "enum": [{}]}}}},
            ["/metadata_schema/fields/a/enum/0"],
        ),
        (
            {"name": "n", "metadata_schema": {"fields": {"a": {"type": "string", "enum": [1]}}}},
            ["/metadata_schema/fields/a/enum/0"],
        ),
        ([], [""]),
    ],
)
async def test_a_body_that_breaks_a_rule(
    api: httpx.AsyncClient, body: object, pointers: list[str]
) -> None:
    assert_problem(await api.post("/libraries", json=body), 422, *pointers)
    assert (await api.get("/libraries")).json()["items"] == []


async def test_an_id_of_ones_own_can_stand_in_a_url(api: httpx.AsyncClient) -> None:
    assert_problem(await api.put("/libraries/a%20b", json={"name": "n"}), 422, "/library_id")


async def test_pages_have_each_library_once(api: httpx.AsyncClient) -> None:
    for i in range(5):
        await api.put(f"/libraries/{i}", json={"name": f"n{i}"})
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await api.get("/libraries", params=params)).json()
        seen += [library["id"] for library in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == ["0", "1", "2", "3", "4"]


async def test_listing_by_name(api: httpx.AsyncClient, library: str) -> None:
    page = (await api.get("/libraries", params={"name": "planar"})).json()
    assert [item["id"] for item in page["items"]] == [library]
    assert (await api.get("/libraries", params={"name": "nar"})).json()["items"] == []
