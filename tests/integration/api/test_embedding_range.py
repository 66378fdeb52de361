"""An embedding with an unsupported dimension is refused at every endpoint."""

import base64
from typing import Any

import httpx
import numpy as np
import pytest

from tests.integration.api.calls import assert_problem

OUTSIDE = [[3e38, 3e38], [1e16, 0.0], [1e-31, 0.0], [1e-45, 1e-45]]
CHUNK = "/libraries/l/chunks/a"


@pytest.mark.parametrize("packed", [False, True], ids=["numbers", "base64"])
@pytest.mark.parametrize("numbers", OUTSIDE, ids=str)
async def test_an_embedding_outside_the_range(
    api: httpx.AsyncClient, document: str, numbers: list[float], packed: bool
) -> None:
    embedding: Any = numbers
    if packed:
        embedding = base64.b64encode(np.array(numbers, "<f4").tobytes()).decode()
    good, bad = {"text": "t", "embedding": [1, 1]}, {"text": "t", "embedding": embedding}
    search, library = {"embedding": embedding}, "/libraries/l"
    calls = [
        ("POST", f"{document}/chunks", {"chunks": [good, bad]}, "/chunks/1/embedding"),
        ("POST", f"{library}/documents", {"chunks": [good, bad]}, "/chunks/1/embedding"),
        ("PUT", CHUNK, {**bad, "document_id": document.rsplit("/", 1)[1]}, "/embedding"),
        ("PATCH", CHUNK, {"embedding": embedding}, "/embedding"),
        ("POST", f"{library}/search", search, "/embedding"),
        ("POST", f"{library}/search", {**search, "exact": True}, "/embedding"),
        (
            "POST",
            f"{library}/search/batch",
            {"searches": [{"embedding": [1, 1]}, search]},
            "/searches/1/embedding",
        ),
    ]
    for method, path, body, pointer in calls:
        answer = await api.request(method, path, json=body)
        assert_problem(answer, 422, pointer)
        assert "1e-15 to 1e+15" in answer.text


@pytest.mark.parametrize("end", [1e-15, 1e15])
async def test_an_embedding_at_an_end_of_the_range(
    api: httpx.AsyncClient, document: str, end: float
) -> None:
    added = await api.post(
        f"{document}/chunks", json={"chunks": [{"text": "t", "embedding": [end, 0]}]}
    )
    assert added.status_code == 201
    listed = await api.get("/libraries/l/chunks")
    count = len(listed.json()["items"])
    result = await api.post("/libraries/l/search", json={"embedding": [0, end], "k": 100})
    assert result.status_code == 200
    assert len(result.json()["hits"]) == count
