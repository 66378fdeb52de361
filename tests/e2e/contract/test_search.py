"""`/libraries/{library_id}/search` over HTTP: filters, plans, ties and included fields."""

import base64
import struct
from typing import Any

import httpx
import pytest

from tests.integration.api.calls import assert_problem

Filter = dict[str, Any]

CHUNKS: dict[str, dict[str, Any]] = {
    "c1": {
        "year": 2001,
        "price": 1.5,
        "kind": "book",
        "tags": ["old", "Sanskrit"],
        "author": {"name": "Dharmapala"},
        "read_at": "2025-01-01T12:00:00+02:00",
        "lent": True,
    },
    "c2": {
        "year": 2002,
        "price": 2,
        "kind": "bookmark",
        "tags": [],
        "author": {"name": "Shilabhadra"},
        "read_at": "2025-01-01T11:00:00Z",
        "lent": False,
    },
    "c3": {"year": "2001", "kind": None},
    "c4": {},
}
ALL = list(CHUNKS)


@pytest.fixture(scope="module")
def path(http: httpx.Client) -> str:
    """Return the search path of a library with four equal vectors in two documents."""
    http.put("/libraries/searched", json={"name": "searched", "dimension": 2})
    chunks = [
        {"id": id_, "text": f"Text of {id_}.", "embedding": [1, 0], "metadata": metadata}
        for id_, metadata in CHUNKS.items()
    ]
    first = {"title": "First", "source": "s1", "metadata": {"shelf": 7}, "chunks": chunks[:2]}
    second = {"metadata": {"shelf": 8}, "chunks": chunks[2:]}
    for id_, document in (("d1", first), ("d2", second)):
        http.put(f"/libraries/searched/documents/{id_}", json=document).raise_for_status()
    return "/libraries/searched/search"


def _field(field: str, op: str, value: object) -> Filter:
    return {"field": field, "op": op, "value": value}


OPERATORS: list[tuple[Filter, list[str]]] = [
    (_field("year", "eq", 2001), ["c1"]),
    (_field("year", "eq", 2001.0), ["c1"]),
    (_field("lent", "eq", True), ["c1"]),
    (_field("price", "eq", True), []),
    (_field("kind", "eq", None), ["c3"]),
    (_field("year", "ne", 2001), ["c2", "c3", "c4"]),
    (_field("year", "in", [2001, 2002, True]), ["c1", "c2"]),
    (_field("year", "in", []), []),
    (_field("year", "nin", [2001]), ["c2", "c3", "c4"]),
    (_field("year", "gt", 2001), ["c2"]),
    (_field("year", "gte", 2001), ["c1", "c2"]),
    (_field("year", "lt", 2002), ["c1"]),
    (_field("year", "lte", 2002), ["c1", "c2"]),
    (_field("price", "between", [1.5, 2]), ["c1", "c2"]),
    (_field("price", "between", [2, 1.5]), []),
    (_field("year", "gt", "2000"), ["c3"]),
    (_field("kind", "contains", "ook"), ["c1", "c2"]),
    (_field("tags", "contains", "old"), ["c1"]),
    (_field("tags", "contains", "ol"), []),
    (_field("tags", "icontains", "SANSKRIT"), ["c1"]),
    (_field("kind", "icontains", "MARK"), ["c2"]),
    (_field("kind", "starts_with", "book"), ["c1", "c2"]),
    (_field("kind", "starts_with", "ook"), []),
    (_field("year", "exists", True), ["c1", "c2", "c3"]),
    (_field("year", "exists", False), ["c4"]),
    (_field("author.name", "eq", "Dharmapala"), ["c1"]),
    (_field("read_at", "eq", "2025-01-01T10:00:00Z"), ["c1"]),
    (_field("read_at", "lt", "2025-01-01T12:30:00+02:00"), ["c1"]),
    (_field("document.title", "eq", "First"), ["c1", "c2"]),
    (_field("document.title", "exists", False), ["c3", "c4"]),
    (_field("document.source", "starts_with", "s"), ["c1", "c2"]),
    (_field("document.metadata.shelf", "gte", 8), ["c3", "c4"]),
    (_field("chunk.created_at", "gt", "2001-01-01T00:00:00Z"), ALL),
    (_field("chunk.id", "in", ["c4", "c1"]), ["c1", "c4"]),
    ({"and": [_field("year", "gte", 2001), _field("lent", "eq", False)]}, ["c2"]),
    ({"or": [_field("year", "eq", "2001"), _field("lent", "eq", False)]}, ["c2", "c3"]),
    ({"not": _field("year", "gte", 2002)}, ["c1", "c3", "c4"]),
    ({"not": {"or": [{"not": _field("year", "exists", True)}]}}, ["c1", "c2", "c3"]),
]


@pytest.mark.parametrize(("filter_", "expected"), OPERATORS)
def test_filters(http: httpx.Client, path: str, filter_: Filter, expected: list[str]) -> None:
    result = http.post(path, json={"embedding": [1, 0], "filter": filter_}).json()

    # All scores are equal, so the order shows ties broken by chunk id.
    assert [hit["chunk_id"] for hit in result["hits"]] == expected
    assert result["plan"]["matches"] == len(expected)
    assert result["plan"]["filter"] != "none"


def test_an_answer(http: httpx.Client, path: str) -> None:
    answer = http.post(path, json={"embedding": [2, 0], "k": 3})

    result = answer.json()
    assert set(result) == {"hits", "plan", "position", "took_ms"}
    assert [hit["chunk_id"] for hit in result["hits"]] == ["c1", "c2", "c3"]
    hit = result["hits"][0]
    assert (hit["document_id"], hit["score"], hit["text"]) == ("d1", 1.0, "Text of c1.")
    assert hit["metadata"] == CHUNKS["c1"]
    assert result["plan"] == {"index": "flat", "filter": "none", "exact": True}
    assert result["position"] == int(answer.headers["Nalanda-Position"])
    assert result["took_ms"] > 0


@pytest.mark.parametrize(("k", "hits"), [(1, 1), (4, 4), (10_000, 4)])
def test_exactly_as_many_hits_as_there_are(
    http: httpx.Client, path: str, k: int, hits: int
) -> None:
    result = http.post(path, json={"embedding": [0, 1], "k": k, "exact": True}).json()
    assert len(result["hits"]) == hits


def test_include(http: httpx.Client, path: str) -> None:
    def hit(**search: object) -> dict[str, Any]:
        hit = http.post(path, json={"embedding": [1, 0], **search}).json()["hits"][0]
        return {name: value for name, value in hit.items() if name not in bare}

    bare = {"chunk_id", "document_id", "score", "version"}
    document = {"id": "d1", "title": "First", "source": "s1", "metadata": {"shelf": 7}}
    assert hit(include=[]) == {}
    assert set(hit()) == {"text", "place", "metadata"}
    assert hit(include=["document", "embedding"]) == {"document": document, "embedding": [1, 0]}


def test_group_by(http: httpx.Client, path: str) -> None:
    search = {"embedding": [1, 0], "group_by": "document_id"}

    hits = http.post(path, json=search).json()["hits"]

    assert [(hit["document_id"], hit["chunk_id"]) for hit in hits] == [("d1", "c1"), ("d2", "c3")]


def test_an_embedding_in_base64(http: httpx.Client, path: str) -> None:
    packed = base64.b64encode(struct.pack("<2f", 1, 0)).decode()
    result = http.post(path, json={"embedding": packed, "parameters": {"ef": 9, "nprobe": 3}})
    assert result.json()["hits"][0]["score"] == 1.0


@pytest.mark.parametrize(
    ("metric", "vectors", "scores"),
    [
        ("cosine", [[2, 0], [3, 4], [0, 1]], [1, 0.6, 0]),
        ("dot", [[3, 0], [2, 5], [0, 1]], [3, 2, 0]),
        ("l2", [[1, 0], [1, 2], [4, 4]], [0, -2, -5]),
    ],
)
def test_scores_are_higher_where_it_is_nearer(
    http: httpx.Client, name: str, metric: str, vectors: list[list[int]], scores: list[float]
) -> None:
    http.post("/libraries", json={"name": name, "metric": metric})
    chunks = [{"id": f"c{i}", "text": "T", "embedding": v} for i, v in enumerate(vectors)]
    http.post(f"/libraries/{name}/documents", json={"chunks": chunks}).raise_for_status()

    hits = http.post(f"/libraries/{name}/search", json={"embedding": [1, 0]}).json()["hits"]

    assert [hit["chunk_id"] for hit in hits] == ["c0", "c1", "c2"]
    assert [hit["score"] for hit in hits] == pytest.approx(scores)


def test_text(http: httpx.Client, name: str) -> None:
    http.post("/libraries", json={"name": name})
    texts = ["Caravans carry horses.", "The harbour is nine fathoms deep."]
    chunks = [{"text": text} for text in texts]
    http.post(f"/libraries/{name}/documents", json={"chunks": chunks})

    result = http.post(f"/libraries/{name}/search", json={"text": "How deep is it?", "k": 1}).json()

    assert [hit["text"] for hit in result["hits"]] == texts[1:]


def test_an_empty_library(http: httpx.Client, name: str) -> None:
    http.post("/libraries", json={"name": name})
    for search in ({"text": "anything"}, {"embedding": [1, 2, 3]}):
        assert http.post(f"/libraries/{name}/search", json=search).json()["hits"] == []


def test_batch(http: httpx.Client, path: str) -> None:
    searches = [{"embedding": [1, 0], "k": k} for k in range(1, 5)]
    searches.append({"embedding": [1, 0], "filter": _field("year", "eq", 2002)})

    answer = http.post(f"{path}/batch", json={"searches": searches})

    results = answer.json()["results"]
    assert [len(result["hits"]) for result in results] == [1, 2, 3, 4, 1]
    assert [result["plan"].get("matches") for result in results] == [None] * 4 + [1]
    assert {result["position"] for result in results} == {int(answer.headers["Nalanda-Position"])}


@pytest.mark.parametrize("count", [0, 101])
def test_a_batch_has_one_to_a_hundred_searches(http: httpx.Client, path: str, count: int) -> None:
    searches = [{"embedding": [1, 0]}] * count
    assert_problem(http.post(f"{path}/batch", json={"searches": searches}), 422, "/searches")
