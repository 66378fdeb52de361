import httpx
import pytest

from tests.integration.api.calls import assert_problem


async def test_what_was_created_is_found(api: httpx.AsyncClient, library: str) -> None:
    body = {"title": "T", "source": "https://example.org", "metadata": {"a": [1, None, "ü"]}}
    created = await api.post("/libraries/planar/documents", json=body)
    assert created.status_code == 201
    document = created.json()
    assert {name: document[name] for name in body} == body
    assert created.headers["Location"] == f"/libraries/{library}/documents/{document['id']}"
    read = await api.get(created.headers["Location"])
    assert read.json() == document
    assert read.headers["ETag"] == created.headers["ETag"]


async def test_text_is_split_and_embedded(api: httpx.AsyncClient) -> None:
    await api.put("/libraries/texts", json={"name": "texts"})
    text = "Rivers flow to the sea.\n\n" + "A very long paragraph about mountains. " * 200
    created = await api.put("/libraries/texts/documents/d", json={"text": text})
    assert created.status_code == 201
    chunks = (await api.get("/libraries/texts/documents/d/chunks?include=embedding")).json()
    assert len(chunks["items"]) > 1
    assert {len(chunk["embedding"]) for chunk in chunks["items"]} == {256}
    library = (await api.get("/libraries/texts")).json()
    assert (library["dimension"], library["embedding_model"]) == (256, "wordllama-256")
    result = await api.post("/libraries/texts/search", json={"text": "rivers and seas", "k": 1})
    assert result.json()["hits"][0]["text"].startswith("Rivers")


async def test_put_without_chunks_keeps_those_there_are(
    api: httpx.AsyncClient, document: str
) -> None:
    replaced = await api.put(document, json={"title": "Renamed"})
    assert replaced.status_code == 200
    assert len((await api.get(f"{document}/chunks")).json()["items"]) == 3
    await api.put(document, json={"chunks": [{"id": "a", "text": "A", "embedding": [1, 1]}]})
    [chunk] = (await api.get(f"{document}/chunks")).json()["items"]
    assert (chunk["id"], chunk["text"]) == ("a", "A")


async def test_patch_merges(api: httpx.AsyncClient, document: str) -> None:
    await api.patch(document, json={"metadata": {"a": 1, "b": 2}})
    patched = await api.patch(document, json={"metadata": {"a": None}, "source": "s"})
    assert patched.json()["metadata"] == {"b": 2}
    assert (patched.json()["title"], patched.json()["source"]) == ("Letters", "s")


async def test_delete_takes_its_chunks(api: httpx.AsyncClient, document: str) -> None:
    assert (await api.delete(document)).status_code == 204
    assert_problem(await api.get(document), 404)
    assert_problem(await api.get(f"{document}/chunks"), 404)
    assert (await api.get("/libraries/l/chunks")).json()["items"] == []


async def test_pages(api: httpx.AsyncClient, library: str) -> None:
    for i in range(3):
        await api.put(f"/libraries/{library}/documents/{i}", json={})
    first = (await api.get(f"/libraries/{library}/documents?limit=2")).json()
    rest = await api.get(
        f"/libraries/{library}/documents", params={"limit": 2, "cursor": first["next_cursor"]}
    )
    assert [d["id"] for d in first["items"] + rest.json()["items"]] == ["0", "1", "2"]
    assert rest.json()["next_cursor"] is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"title": 1}, "/title"),
        ({"text": "x", "chunks": []}, "/chunks"),
        ({"chunks": [{"text": "x", "embedding": [1]}]}, "/chunks/0/embedding"),
        ({"chunks": [{"embedding": [1, 0]}]}, "/chunks/0/text"),
        ({"chunks": [{"text": "x", "embeding": [1, 0]}]}, "/chunks/0/embeding"),
        ({"chunk": []}, "/chunk"),
    ],
)
async def test_a_body_that_breaks_a_rule(
    api: httpx.AsyncClient, library: str, body: object, pointer: str
) -> None:
    assert_problem(await api.post(f"/libraries/{library}/documents", json=body), 422, pointer)
    assert (await api.get(f"/libraries/{library}/documents")).json()["items"] == []


async def test_there_is_no_document_without_a_library(api: httpx.AsyncClient) -> None:
    assert_problem(await api.post("/libraries/none/documents", json={}), 404)
    assert_problem(await api.get("/libraries/none/documents"), 404)
