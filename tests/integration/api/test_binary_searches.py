"""Searches whose embedding is binary."""

import struct

import httpx
import pytest

from tests.integration.api.calls import assert_problem

PATH = "/libraries/planar/search"
OCTETS = {"Content-Type": "application/octet-stream"}
VECTOR = struct.pack("<2f", 1, 0)
ANY_QUERY = "?by=route"


@pytest.mark.parametrize("path", [PATH, PATH + ANY_QUERY])
@pytest.mark.parametrize("line", [b'{"k": 2}', b' { "k": 2 } ', b'{"k":2,"mode":"vector"}'])
async def test_a_line_and_the_numbers(
    api: httpx.AsyncClient, document: str, path: str, line: bytes
) -> None:
    answer = await api.post(path, content=line + b"\n" + VECTOR, headers=OCTETS)
    assert answer.status_code == 200, answer.text
    as_json = await api.post(PATH, json={"embedding": [1, 0], "k": 2})
    assert answer.json()["hits"] == as_json.json()["hits"]


async def test_without_options(api: httpx.AsyncClient, document: str) -> None:
    answer = await api.post(PATH, content=b"{}\n" + VECTOR, headers=OCTETS)
    assert len(answer.json()["hits"]) == 3


async def test_with_a_filter(api: httpx.AsyncClient, document: str) -> None:
    line = b'{"filter":{"field":"n","op":"gt","value":1}}\n'
    answer = await api.post(PATH, content=line + VECTOR, headers=OCTETS)
    assert [hit["chunk_id"] for hit in answer.json()["hits"]] == ["b", "c"]


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        (b"", 400, []),
        (b"{}", 400, []),
        (VECTOR, 400, []),
        (b"[]\n" + VECTOR, 400, []),
        (b'{"k":1,}\n' + VECTOR, 400, []),
        (b'{"a":1}{"b":2}\n' + VECTOR, 400, []),
        (b"{}\n", 422, ["/embedding"]),
        (b"{}\n" + VECTOR[:-1], 422, ["/embedding"]),
        (b"{}\n" + VECTOR + VECTOR, 422, ["/embedding"]),
        (b"{}\n" + struct.pack("<2f", float("nan"), 0), 422, ["/embedding"]),
        (b'{"k":0}\n' + VECTOR, 422, ["/k"]),
        (b'{"text":"a"}\n' + VECTOR, 422, ["/text"]),
    ],
)
async def test_what_breaks_a_rule(
    api: httpx.AsyncClient, document: str, body: bytes, status: int, pointers: list[str]
) -> None:
    answer = await api.post(PATH, content=body, headers=OCTETS)
    assert_problem(answer, status, *pointers)
