"""`/libraries/{library_id}/index` and `/map` over HTTP."""

from base64 import b64decode

import httpx
import numpy as np
import pytest

from tests.waiting import until


def test_get(http: httpx.Client, library: str, document: str) -> None:
    index = http.get(f"/libraries/{library}/index")

    assert index.status_code == 200
    assert set(index.json()) == {
        "kind", "state", "error", "segments", "vectors", "deleted", "memory_bytes",
        "lexical_memory_bytes", "recall", "parameters"
    }  # fmt: skip
    assert (index.json()["kind"], index.json()["vectors"]) == ("auto", 2)
    assert index.json()["memory_bytes"] > 0


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "auto"},
        {"kind": "flat"},
        {"kind": "ivf", "nlist": 8, "nprobe": 2},
        {"kind": "hnsw", "m": 8, "ef_construction": 40, "ef": 20},
    ],
)
def test_put(http: httpx.Client, library: str, document: str, body: dict[str, object]) -> None:
    put = http.put(f"/libraries/{library}/index", json=body)

    assert put.status_code == 202
    index = http.get(f"/libraries/{library}/index").json()
    parameters = {name: value for name, value in body.items() if name != "kind"}
    assert (index["kind"], index["parameters"]) == (body["kind"], parameters)
    assert http.get(f"/libraries/{library}").json()["index"] == body
    result = http.post(f"/libraries/{library}/search", json={"embedding": [1, 0, 0]}).json()
    assert [hit["chunk_id"] for hit in result["hits"]] == ["a", "b"]


def _map(http: httpx.Client, library: str, **body: object) -> httpx.Response:
    """Return the map once it is current."""
    responses: list[httpx.Response] = []

    def is_current() -> bool:
        responses.append(http.post(f"/libraries/{library}/map", json=body))
        return responses[-1].raise_for_status().status_code == 200

    until(is_current)
    return responses[-1]


def test_map(http: httpx.Client, library: str, document: str) -> None:
    first = http.post(f"/libraries/{library}/map", json={})
    assert first.status_code == 202
    assert first.headers["Retry-After"] == "1"
    assert first.json()["state"] == "computing"

    drawn = _map(http, library, color_by="year").json()

    assert set(drawn) == {
        "state", "position", "total", "explained", "points", "health", "query"
    }  # fmt: skip
    assert (drawn["state"], drawn["total"], drawn["query"]) == ("ready", 2, None)
    points = drawn["points"]
    assert points["chunk_ids"] == ["a", "b"]
    assert np.frombuffer(b64decode(points["codes"]), "<i4").tolist() == [0, 1]
    assert points["values"] == [2001, 2002]
    x = np.frombuffer(b64decode(points["x"]), "<f4")
    assert x[0] == pytest.approx(-x[1])
    assert drawn["health"]["probed"] == 2
    assert drawn["health"]["degenerate"] == []
    assert _map(http, library, include=["health"]).json()["points"] is None


def test_map_places_a_query(http: httpx.Client, harbours: str) -> None:
    _map(http, harbours)
    placed = _map(http, harbours, text="How deep is the harbour?", include=[]).json()["query"]
    assert len(placed) == 2
