"""`/libraries/{library_id}/index` over HTTP."""

import httpx
import pytest


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
