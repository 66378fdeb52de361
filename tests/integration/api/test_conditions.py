"""Entity tags, and conditional reads and writes."""

from typing import Any

import httpx
import pytest

from tests.integration.api.calls import assert_problem

PATHS = ["/libraries/l", "/libraries/l/documents/d", "/libraries/l/chunks/a"]
PATCHES: dict[str, Any] = {path: {"metadata": {"n": 5}} for path in PATHS}


@pytest.mark.parametrize("path", PATHS)
async def test_a_reader_that_has_it_gets_304(
    api: httpx.AsyncClient, document: str, path: str
) -> None:
    tag = (await api.get(path)).headers["ETag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = await api.get(path, headers={"If-None-Match": given})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == tag
        assert "Nalanda-Position" in answer.headers
    await api.patch(path, json=PATCHES[path])
    assert (await api.get(path, headers={"If-None-Match": tag})).status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_a_stale_writer_is_refused(api: httpx.AsyncClient, document: str, path: str) -> None:
    seen = (await api.get(path)).headers["ETag"]
    fresh = await api.patch(path, json=PATCHES[path], headers={"If-Match": seen})
    assert fresh.status_code == 200
    for stale in (seen, f"W/{fresh.headers['ETag']}", '"no-version"', '"0", "1000"'):
        headers = {"If-Match": stale}
        assert_problem(await api.patch(path, json=PATCHES[path], headers=headers), 412)
        assert_problem(await api.delete(path, headers=headers), 412)
    assert (await api.get(path)).headers["ETag"] == fresh.headers["ETag"]
    headers = {"If-Match": f'"0", {fresh.headers["ETag"]}'}
    assert (await api.delete(path, headers=headers)).status_code == 204


PUTS: dict[str, Any] = {
    "/libraries/l": {"name": "planar", "dimension": 2},
    "/libraries/l/documents/d": {},
    "/libraries/l/chunks/a": {"document_id": "d", "text": "A", "embedding": [1, 1]},
}


@pytest.mark.parametrize("path", PATHS)
async def test_put_only_what_is_there_or_only_what_is_not(
    api: httpx.AsyncClient, document: str, path: str
) -> None:
    absent, there = {"If-None-Match": "*"}, {"If-Match": "*"}
    assert_problem(await api.put(path, json=PUTS[path], headers=absent), 412)
    assert (await api.put(path, json=PUTS[path], headers=there)).status_code == 200
    other = f"{path}-2"
    body = PUTS[path] | ({"name": "other"} if path == "/libraries/l" else {})
    assert_problem(await api.put(other, json=body, headers=there), 412)
    assert (await api.put(other, json=body, headers=absent)).status_code == 201


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("value", ["1", '"1', "", '"1" "2"', "W/1", '"1",'])
async def test_tags_that_are_none(
    api: httpx.AsyncClient, document: str, header: str, value: str
) -> None:
    assert_problem(await api.patch(PATHS[0], json={}, headers={header: value}), 400)
    if header == "If-None-Match":
        assert_problem(await api.get(PATHS[0], headers={header: value}), 400)


async def test_a_tag_can_not_stand_for_absence(api: httpx.AsyncClient, library: str) -> None:
    headers = {"If-None-Match": '"1"'}
    assert_problem(await api.put(PATHS[0], json=PUTS[PATHS[0]], headers=headers), 400)
