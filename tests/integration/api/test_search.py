import math
from typing import Any

import httpx
import pytest

from tests.integration.api.calls import assert_problem

PATH = "/libraries/planar/search"
HALVES = {"vector": 0.5, "lexical": 0.5}
BOTH = {"text": "alpha", "embedding": [1, 0], "mode": "hybrid"}


async def test_the_nearest_come_first(api: httpx.AsyncClient, document: str) -> None:
    answer = await api.post(PATH, json={"embedding": [2, 0], "k": 2})
    result = answer.json()
    assert answer.headers["Nalanda-Position"] == str(result["position"]) == "2"
    assert result["took_ms"] >= 0
    assert result["plan"] == {"index": "flat", "filter": "none", "exact": True}
    first, second = result["hits"]
    assert first == {
        "chunk_id": "a",
        "document_id": "d",
        "version": 2,
        "score": 1.0,
        "text": "alpha",
        "place": None,
        "metadata": {"n": 1, "tags": ["x"]},
    }
    assert second["chunk_id"] == "b"
    assert math.isclose(second["score"], 0.6, abs_tol=1e-6)


async def test_hits_show_what_is_included(api: httpx.AsyncClient, document: str) -> None:
    body = {"embedding": [1, 0], "k": 1, "include": ["document", "embedding"]}
    [hit] = (await api.post(PATH, json=body)).json()["hits"]
    assert hit["document"] == {"id": "d", "title": "Letters", "source": None, "metadata": {}}
    assert hit["embedding"] == [1, 0]
    assert "text" not in hit
    assert "metadata" not in hit
    [bare] = (await api.post(PATH, json={**body, "include": []})).json()["hits"]
    assert set(bare) == {"chunk_id", "document_id", "version", "score"}


async def test_a_filter_costs_no_results(api: httpx.AsyncClient, document: str) -> None:
    body = {"embedding": [1, 0], "filter": {"field": "n", "op": "gt", "value": 1}}
    result = (await api.post(PATH, json=body)).json()
    assert [hit["chunk_id"] for hit in result["hits"]] == ["b", "c"]
    assert result["plan"]["matches"] == 2


async def test_the_best_of_each_document(api: httpx.AsyncClient, document: str) -> None:
    body = {"embedding": [1, 0], "group_by": "document_id"}
    assert len((await api.post(PATH, json=body)).json()["hits"]) == 1


async def test_words_are_found(api: httpx.AsyncClient, document: str) -> None:
    result = (await api.post(PATH, json={"text": "Alpha?!", "mode": "lexical"})).json()
    assert [hit["chunk_id"] for hit in result["hits"]] == ["a"]
    assert result["hits"][0]["score"] > 0
    assert result["plan"] == {"index": "lexical", "filter": "none", "exact": True}
    assert result["position"] == 2
    nothing = {"text": '"(the AND *:^~', "mode": "lexical"}
    assert (await api.post(PATH, json=nothing)).json()["hits"] == []


async def test_what_was_just_written_is_found_by_its_words(
    api: httpx.AsyncClient, document: str
) -> None:
    wanted = {"text": "omega", "mode": "lexical"}
    assert (await api.post(PATH, json=wanted)).json()["hits"] == []
    for n in range(3):
        chunks = [{"id": f"o{n}", "text": "omega", "embedding": [1, 1]}]
        added = await api.post("/libraries/planar/documents/d/chunks", json={"chunks": chunks})
        assert added.status_code == 201
        result = (await api.post(PATH, json=wanted)).json()
        assert [hit["chunk_id"] for hit in result["hits"]] == [f"o{i}" for i in range(n + 1)]
    await api.delete("/libraries/planar/chunks/o1")
    result = (await api.post(PATH, json=wanted)).json()
    assert [hit["chunk_id"] for hit in result["hits"]] == ["o0", "o2"]


async def test_words_and_vectors_together(api: httpx.AsyncClient, document: str) -> None:
    body = {"text": "gamma", "embedding": [1, 0], "mode": "hybrid"}
    result = (await api.post(PATH, json=body)).json()
    assert [hit["chunk_id"] for hit in result["hits"]] == ["c", "a", "b"]
    assert result["plan"]["index"] == "hybrid"
    weights = {"vector": 1, "lexical": 0.1}
    other = {"searches": [body, {**body, "weights": weights}]}
    results = (await api.post(f"{PATH}/batch", json=other)).json()["results"]
    assert [result["hits"][0]["chunk_id"] for result in results] == ["c", "a"]


async def test_a_batch_is_answered_in_order(api: httpx.AsyncClient, document: str) -> None:
    searches = [{"embedding": [1, 0], "k": 1}, {"embedding": [0, 1], "k": 1}]
    answer = await api.post(f"{PATH}/batch", json={"searches": searches})
    hits = [result["hits"][0]["chunk_id"] for result in answer.json()["results"]]
    assert hits == ["a", "c"]
    assert answer.headers["Nalanda-Position"] == "2"


async def test_a_long_body_is_parsed_off_the_loop(api: httpx.AsyncClient, document: str) -> None:
    ids = ["a", *(f"{number:064}" for number in range(5_000))]
    named = {"field": "chunk.id", "op": "in", "value": ids}
    answer = await api.post(PATH, json={"embedding": [1, 0], "k": 1, "filter": named})
    assert answer.json()["hits"][0]["chunk_id"] == "a"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/embedding"),
        ({"embedding": [1, 0], "text": "x"}, "/text"),
        ({"text": "x"}, "/text"),
        ({"embedding": [1]}, "/embedding"),
        ({"embedding": [0, 0]}, "/embedding"),
        ({"embedding": [1, True]}, "/embedding/1"),
        ({"embedding": [1, "1.5"]}, "/embedding/1"),
        ({"embedding": 1}, "/embedding"),
        ({"embedding": [1, 0], "k": 0}, "/k"),
        ({"embedding": [1, 0], "k": 10_001}, "/k"),
        ({"embedding": [1, 0], "k": True}, "/k"),
        ({"embedding": [1, 0], "k": "3"}, "/k"),
        ({"embedding": [1, 0], "mode": "lexical"}, "/embedding"),
        ({"embedding": [1, 0], "mode": "hybrid"}, "/text"),
        ({"text": "alpha", "mode": "hybrid"}, "/embedding"),
        ({"text": "alpha", "mode": "lexical", "weights": HALVES}, "/weights"),
        ({"embedding": [1, 0], "weights": HALVES}, "/weights"),
        ({**BOTH, "weights": {"vector": 1}}, "/weights/lexical"),
        ({**BOTH, "weights": {"vector": 1, "lexical": 1.1}}, "/weights/lexical"),
        ({**BOTH, "weights": {"vector": 0, "lexical": 0}}, "/weights"),
        ({"embedding": [1, 0], "mode": "psychic"}, "/mode"),
        ({"embedding": [1, 0], "exact": 1}, "/exact"),
        ({"embedding": [1, 0], "include": ["soul"]}, "/include/0"),
        ({"embedding": [1, 0], "group_by": "text"}, "/group_by"),
        ({"embedding": [1, 0], "parameters": {"ef": 0}}, "/parameters/ef"),
        ({"embedding": [1, 0], "parameters": {"eff": 1}}, "/parameters/eff"),
        ({"embedding": [1, 0], "top_k": 3}, "/top_k"),
        ({"embedding": [1, 0], "filter": []}, "/filter"),
        ({"embedding": [1, 0], "filter": {"field": "n", "op": "near", "value": 1}}, "/filter/op"),
        (
            {
                "embedding": [1, 0],
                "filter": {"and": [{"field": "document.x", "op": "exists", "value": True}]},
            },
            "/filter/and/0/field",
        ),
    ],
)
async def test_a_search_that_breaks_a_rule(
    api: httpx.AsyncClient, document: str, body: dict[str, Any], pointer: str
) -> None:
    alone = await api.post(PATH, json=body)
    assert alone.status_code == 422, alone.text
    assert pointer in [fault["pointer"] for fault in alone.json()["errors"]]
    searches = [{"embedding": [1, 0]}, body]
    batch = await api.post(f"{PATH}/batch", json={"searches": searches})
    assert batch.status_code == 422, batch.text
    assert f"/searches/1{pointer}" in [fault["pointer"] for fault in batch.json()["errors"]]


@pytest.mark.parametrize("count", [0, 101])
async def test_how_many_searches_a_batch_has(
    api: httpx.AsyncClient, document: str, count: int
) -> None:
    body = {"searches": [{"embedding": [1, 0]}] * count}
    assert_problem(await api.post(f"{PATH}/batch", json=body), 422, "/searches")


async def test_there_is_nothing_to_search_in_no_library(api: httpx.AsyncClient) -> None:
    assert_problem(await api.post("/libraries/none/search", json={"embedding": [1]}), 404)


async def test_an_empty_library_has_no_hits(api: httpx.AsyncClient, library: str) -> None:
    assert (await api.post(PATH, json={"embedding": [1, 0]})).json()["hits"] == []


@pytest.mark.parametrize(
    ("condition", "unknown"),
    [
        ({"field": "n", "op": "eq", "value": 1}, None),
        ({"field": "n", "op": "eq", "value": 9}, None),
        ({"field": "chunk.text", "op": "eq", "value": "?"}, None),
        ({"field": "tags", "op": "contains", "value": "x"}, None),
        ({"field": "m", "op": "eq", "value": 1}, ["m"]),
        ({"not": {"field": "m", "op": "eq", "value": 1}}, ["m"]),
        ({"field": "chunk.metadata.m", "op": "exists", "value": False}, ["m"]),
        ({"field": "document.source", "op": "eq", "value": "s"}, ["document.source"]),
        (
            {
                "or": [
                    {"field": "n", "op": "eq", "value": 1},
                    {"field": "document.metadata.year", "op": "gt", "value": 1},
                    {"field": "m.o", "op": "eq", "value": 1},
                ]
            },
            ["document.metadata.year", "m.o"],
        ),
    ],
)
async def test_a_field_that_no_chunk_has_is_named(
    api: httpx.AsyncClient, document: str, condition: object, unknown: list[str] | None
) -> None:
    search = {"embedding": [1, 0], "filter": condition}
    plan = (await api.post("/libraries/l/search", json=search)).json()["plan"]
    assert plan.get("unknown_fields") == unknown
