"""The place of a chunk over REST: stored, answered, indexed, bounded."""

import json
from typing import Any

import httpx
import pytest

from tests.integration.api.calls import assert_problem

PLACE = {
    "title": "Tamralipti",
    "headings": ["Harbour", "Depth"],
    "page": 2,
    "box": [72.0, 80.5, 300.0, 96.25],
    "line": 12,
}
BOXES = [
    {"start": 0, "box": [72.0, 80.5, 300.0, 88.0]},
    {"start": 5, "box": [72.0, 88.0, 210.5, 96.25]},
]
NOWHERE: dict[str, object] = {
    "title": None,
    "headings": [],
    "page": None,
    "box": None,
    "line": None,
}


@pytest.fixture
async def chunk(api: httpx.AsyncClient, document: str) -> str:
    """Return the path of a chunk with a place."""
    body = {"chunks": [{"id": "p", "text": "nine fathoms", "embedding": [1, 1], "place": PLACE}]}
    added = await api.post(f"{document}/chunks", json=body)
    assert added.status_code == 201
    assert added.json()["items"][0]["place"] == PLACE
    return "/libraries/l/chunks/p"


async def test_every_answer_with_the_chunk_has_it(
    api: httpx.AsyncClient, document: str, chunk: str
) -> None:
    assert (await api.get(chunk)).json()["place"] == PLACE
    for listing in (f"{document}/chunks", "/libraries/l/chunks"):
        items = (await api.get(listing)).json()["items"]
        assert [item["place"] for item in items] == [None, None, None, PLACE]


@pytest.mark.parametrize(("include", "places"), [(["text"], [PLACE]), (["metadata"], [])])
async def test_a_hit_has_it_with_its_text(
    api: httpx.AsyncClient, chunk: str, include: list[str], places: list[Any]
) -> None:
    search = {"text": "fathoms", "mode": "lexical", "k": 1, "include": include}
    (hit,) = (await api.post("/libraries/l/search", json=search)).json()["hits"]
    assert [hit[name] for name in ("place",) if name in hit] == places


async def test_words_of_its_title_and_headings_find_the_chunk(
    api: httpx.AsyncClient, chunk: str
) -> None:
    async def search(text: str) -> list[str]:
        answer = await api.post("/libraries/l/search", json={"text": text, "mode": "lexical"})
        return [hit["chunk_id"] for hit in answer.json()["hits"]]

    assert await search("tamralipti") == await search("harbours") == ["p"]
    await api.patch(chunk, json={"place": {"title": None, "headings": ["Anchorage"]}})
    assert await search("tamralipti") == await search("harbours") == []
    assert await search("anchorage") == ["p"]


async def test_a_patch_of_the_text_keeps_it_and_a_put_replaces_it(
    api: httpx.AsyncClient, chunk: str
) -> None:
    patched = await api.patch(chunk, json={"text": "ten fathoms", "embedding": [1, 0]})
    assert patched.json()["place"] == PLACE
    patched = await api.patch(chunk, json={"place": {"page": None, "box": None, "line": 13}})
    assert patched.json()["place"] == {**PLACE, "page": None, "box": None, "line": 13}
    body = {"document_id": "d", "text": "ten fathoms", "embedding": [1, 0]}
    put = await api.put(chunk, json={**body, "place": {"line": 3}})
    assert put.json()["place"] == {**NOWHERE, "line": 3}
    assert (await api.put(chunk, json=body)).json()["place"] is None
    assert (await api.patch(chunk, json={"place": {}})).json()["place"] == NOWHERE
    assert (await api.patch(chunk, json={"place": None})).json()["place"] is None


async def test_boxes_are_of_the_text_they_came_with(api: httpx.AsyncClient, chunk: str) -> None:
    patched = await api.patch(chunk, json={"place": {"boxes": BOXES}})
    assert patched.json()["place"] == {**PLACE, "boxes": BOXES}
    assert (await api.get(chunk)).json()["place"] == {**PLACE, "boxes": BOXES}
    search = {"text": "fathoms", "mode": "lexical", "k": 1, "include": ["text"]}
    (hit,) = (await api.post("/libraries/l/search", json=search)).json()["hits"]
    assert hit["place"] == {**PLACE, "boxes": BOXES}
    # The boxes of a text that is replaced say nothing of the next one.
    text = {"text": "ten fathoms", "embedding": [1, 0]}
    assert (await api.patch(chunk, json=text)).json()["place"] == PLACE
    both = {"text": "nine fathoms", "embedding": [1, 0], "place": {"boxes": BOXES[:1]}}
    assert (await api.patch(chunk, json=both)).json()["place"]["boxes"] == BOXES[:1]
    assert (await api.patch(chunk, json={"place": {"boxes": None}})).json()["place"] == PLACE


@pytest.mark.parametrize(
    ("place", "pointer"),
    [
        ("page 2", ""),
        ({"city": "Paris"}, "/city"),
        ({"title": "x" * 16_385}, "/title"),
        ({"headings": "x"}, "/headings"),
        ({"headings": ["x"] * 65}, "/headings"),
        ({"headings": ["x", "x" * 1_001]}, "/headings/1"),
        ({"page": 0}, "/page"),
        ({"page": True}, "/page"),
        ({"line": 1.5}, "/line"),
        ({"line": 2**31}, "/line"),
        ({"box": [1, 2, 3]}, "/box"),
        ({"box": [1, 2, 3, "4"]}, "/box/3"),
        ({"boxes": {}}, "/boxes"),
        ({"boxes": [{"start": 0}]}, "/boxes/0/box"),
        ({"boxes": [{"start": -1, "box": [1, 2, 3, 4]}]}, "/boxes/0/start"),
        ({"boxes": [{"start": 0, "box": [1, 2, 3]}]}, "/boxes/0/box"),
        ({"boxes": [{"start": 7, "box": [1, 2, 3, 4]}] * 2}, "/boxes"),
        ({"boxes": [{"start": n, "box": [1, 2, 3, 4]} for n in range(513)]}, "/boxes"),
    ],
)
async def test_its_bounds(
    api: httpx.AsyncClient, document: str, place: object, pointer: str
) -> None:
    chunk = {"text": "t", "embedding": [1, 1], "place": place}
    answer = await api.post(f"{document}/chunks", json={"chunks": [chunk]})
    assert_problem(answer, 422, f"/chunks/0/place{pointer}")


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity"])
async def test_the_numbers_of_a_box_are_finite(
    api: httpx.AsyncClient, document: str, number: str
) -> None:
    chunk = {"text": "t", "embedding": [1, 1], "place": {"box": [1, 2, 3, 4]}}
    body = json.dumps({"chunks": [chunk]}).replace("4]", f"{number}]")
    headers = {"Content-Type": "application/json"}
    answer = await api.post(f"{document}/chunks", content=body, headers=headers)
    assert_problem(answer, 422, "/chunks/0/place/box/3")
