"""The comparison of the index with the record can fail."""

import json
import random
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from tests.crash.index_checks import check_index, score
from tests.crash.model import DIMENSION, packed, text_of, vector_of
from tests.crash.record import IndexedRow, Record

Hits = list[dict[str, Any]]
ROWS = {
    f"c{i % 2}-1-{i}": IndexedRow(
        "d", "T", text_of(1, i), {"writer": i % 2, "i": i}, i + 1, packed(vector_of(1, i))
    )
    for i in range(30)
}


def a_record() -> Record:
    return Record(40, {}, (40, 1, 40), rows={"hnsw": dict(ROWS)})


def hits_of(body: dict[str, Any], rows: dict[str, IndexedRow]) -> Hits:
    query = np.array(body.get("embedding", [0.0] * DIMENSION), np.float32)  # or by words
    filter_ = body.get("filter")
    hits: Hits = []
    for id_, row in rows.items():
        if filter_ is not None and row.metadata["writer"] != filter_["value"]:
            continue
        vector = np.frombuffer(row.vector, "<f4")
        hits.append(
            {
                "chunk_id": id_,
                "document_id": row.document_id,
                "version": row.version,
                "score": float(score("l2", vector[None], query)[0]),
                "text": row.text,
                "metadata": row.metadata,
                "document": {"title": row.title},
                "embedding": vector.tolist(),
            }
        )
    hits.sort(key=lambda hit: (-hit["score"], hit["chunk_id"]))
    return hits[: body["k"]]


def faults(
    *,
    doctored: Callable[[Hits], None] = lambda _: None,
    position: int = 40,
    listed: Callable[[list[str]], object] = lambda _: None,
) -> list[str]:
    """Return the faults of a correct index whose answers are doctored."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            value = json.loads(request.url.params["filter"])["value"]
            ids = sorted(id_ for id_, row in ROWS.items() if row.metadata["writer"] == value)
            listed(ids)
            return httpx.Response(200, json={"items": [{"id": id_} for id_ in ids]})
        hits = hits_of(json.loads(request.content), ROWS)
        doctored(hits)
        return httpx.Response(200, json={"hits": hits, "position": position})

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://api") as api:
        return check_index(api, a_record(), random.Random(1))


def test_an_index_like_the_record_is_right() -> None:
    assert faults() == []


def lose_a_hit(hits: Hits) -> None:
    del hits[-1]


def add_a_stranger(hits: Hits) -> None:
    hits[-1] = {**hits[-1], "chunk_id": "gone"}


def change(name: str, value: object) -> Callable[[Hits], None]:
    def doctored(hits: Hits) -> None:
        hits[0][name] = value

    return doctored


def swap(hits: Hits) -> None:
    hits[0], hits[1] = hits[1], hits[0]


@pytest.mark.parametrize(
    "doctored",
    [
        lose_a_hit,
        add_a_stranger,
        swap,
        change("version", 39),
        change("document_id", "another"),
        change("text", "another"),
        change("metadata", {}),
        change("document", {"title": "another"}),
        change("embedding", [0.0] * 16),
        change("score", 0.5),
    ],
)
def test_an_index_that_says_otherwise_is_found(doctored: Callable[[Hits], None]) -> None:
    assert faults(doctored=doctored)


def test_an_index_behind_the_record_is_found() -> None:
    assert faults(position=39) == ["index: hnsw: it is at 39, and the record at 40"]


def test_a_listing_without_a_row_is_found() -> None:
    assert len(faults(listed=list[str].pop)) == 1
