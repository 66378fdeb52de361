"""Bodies that are not JSON, or hostile JSON."""

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.integration.api.calls import JSON, assert_problem

NOT_JSON = {
    "empty": b"",
    "blank": b" ",
    "cut off": b'{"name": "n"',
    "trailing": b'{"name": "n"}}',
    "single quotes": b"{'name': 'n'}",
    "comment": b'{"name": "n"} // a name',
    "trailing comma": b'{"name": "n",}',
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "n"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"name": "n"}',
    "lone surrogate": b'{"name": "\\ud800"}',
    "lone surrogate as key": b'{"\\udfff": 1}',
    "encoded surrogate": b'{"name": "\xed\xa0\x80"}',
    "control character": b'{"name": "a\nb"}',
    "too deep": b'{"name": "n", "metadata": {"a": ' + b"[" * 1000 + b"]" * 1000 + b"}}",
    "far too deep": b'{"metadata":' * 50_000,
    "leading zero": b'{"dimension": 01}',
    "hexadecimal": b'{"dimension": 0x10}',
    "endless integer": b'{"dimension": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
async def test_what_is_not_json(api: httpx.AsyncClient, library: str, body: bytes) -> None:
    assert_problem(await api.post("/libraries", content=body, headers=JSON), 400)
    assert_problem(await api.patch(f"/libraries/{library}", content=body, headers=JSON), 400)
    assert_problem(await api.post(f"/libraries/{library}/search", content=body, headers=JSON), 400)


@pytest.mark.parametrize("body", [b"null", b"[]", b"1", b'"text"', b"true", b"NaN", b"1e999"])
async def test_json_that_is_no_object(api: httpx.AsyncClient, library: str, body: bytes) -> None:
    assert_problem(await api.post("/libraries", content=body, headers=JSON), 422, "")
    assert_problem(await api.patch(f"/libraries/{library}", content=body, headers=JSON), 422, "")


async def test_strings_may_have_any_character(api: httpx.AsyncClient) -> None:
    metadata = {"nul\x00": "\x00", "emoji": "😀", "direction": "\u202e", "last": "\uffff"}
    created = await api.post("/libraries", json={"name": "n", "metadata": metadata})
    assert created.status_code == 201, created.text
    assert (await api.get("/libraries/n")).json()["metadata"] == metadata


async def test_deep_metadata_comes_back(api: httpx.AsyncClient) -> None:
    metadata: object = "bottom"
    for _ in range(60):
        metadata = {"a": [metadata]}
    await api.post("/libraries", json={"name": "n", "metadata": metadata})
    assert (await api.get("/libraries/n")).json()["metadata"] == metadata


async def test_of_a_key_given_twice_the_last_counts(api: httpx.AsyncClient) -> None:
    created = await api.post("/libraries", content='{"name": "a", "name": "b"}', headers=JSON)
    assert created.json()["name"] == "b"


@pytest.mark.parametrize(
    "media_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json", "/"],
)
async def test_other_media_types(
    api: httpx.AsyncClient, library: str, media_type: str | None
) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    assert_problem(await api.post("/libraries", content=b"{}", headers=headers), 415)
    path = f"/libraries/{library}"
    assert_problem(await api.patch(path, content=b"{}", headers=headers), 415)


async def test_a_compressed_body_is_not_taken(api: httpx.AsyncClient, library: str) -> None:
    packed = gzip.compress(b'{"name": "n"}')
    for coding in (
        "gzip",
        "GZIP",
        "x-gzip",
        "br",
        "zstd",
        "deflate",
        "identity, gzip",
        "none",
        "*",
    ):
        headers = {**JSON, "Content-Encoding": coding}
        for answer in (
            await api.post("/libraries", content=packed, headers=headers),
            await api.put("/libraries/n", content=packed, headers=headers),
            await api.patch(f"/libraries/{library}", content=packed, headers=headers),
            await api.post("/query", content=packed, headers=headers),
        ):
            assert_problem(answer, 415)
            assert answer.headers["Accept-Encoding"] == "identity"
            assert "Content-Encoding" in answer.json()["detail"]


async def test_identity_is_no_compression(api: httpx.AsyncClient) -> None:
    for coding in ("identity", "Identity", "", "identity, identity"):
        headers = {**JSON, "Content-Encoding": coding}
        made = await api.put("/libraries/n", content=b'{"name": "n"}', headers=headers)
        assert made.is_success


async def test_a_merge_patch_is_for_patch(api: httpx.AsyncClient, library: str) -> None:
    headers = {"Content-Type": "application/merge-patch+json; charset=utf-8"}
    patched = await api.patch(f"/libraries/{library}", content=b"{}", headers=headers)
    assert patched.status_code == 200
    assert_problem(await api.post("/libraries", content=b"{}", headers=headers), 415)


async def test_parameters_of_a_media_type_are_fine(api: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    created = await api.post("/libraries", content=b'{"name": "n"}', headers=headers)
    assert created.status_code == 201


async def test_too_large_a_body_is_refused_before_it_is_read(api: httpx.AsyncClient) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b"{}"

    headers = {**JSON, "Content-Length": "1000001"}
    assert_problem(await api.post("/libraries", content=body(), headers=headers), 413)
    assert read == 0


async def test_too_large_a_body_in_parts_is_not_read_to_its_end(api: httpx.AsyncClient) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b" " * 100_000

    assert_problem(await api.post("/libraries", content=endless(), headers=JSON), 413)
    assert read == 11


async def test_a_body_of_just_that_size_is_taken(api: httpx.AsyncClient) -> None:
    body = b'{"name": "n", "metadata": {"text": "%s"}}'
    body %= b"t" * (1_000_000 - len(body % b""))
    assert (await api.post("/libraries", content=body, headers=JSON)).status_code == 201
