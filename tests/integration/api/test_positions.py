"""`Nalanda-Position` and `Nalanda-Min-Position`."""

import asyncio

import httpx
import pytest

from core.settings import Settings
from tests.integration.api.calls import assert_problem, open_client

READS = [
    "/libraries",
    "/libraries/l",
    "/libraries/l/documents",
    "/libraries/l/documents/d",
    "/libraries/l/documents/d/chunks",
    "/libraries/l/chunks",
    "/libraries/l/chunks/a",
    "/libraries/l/index",
]


@pytest.mark.parametrize("path", READS)
async def test_reads_say_their_position(api: httpx.AsyncClient, document: str, path: str) -> None:
    answer = await api.get(path, headers={"Nalanda-Min-Position": "2"})
    assert (answer.status_code, answer.headers["Nalanda-Position"]) == (200, "2")


MISSING = [
    ("GET", "/libraries/none"),
    ("GET", "/libraries/none/documents"),
    ("GET", "/libraries/none/chunks"),
    ("GET", "/libraries/none/chunks/a"),
    ("GET", "/libraries/none/index"),
    ("GET", "/libraries/none/embedding-model"),
    ("GET", "/libraries/l/documents/none"),
    ("GET", "/libraries/l/documents/none/chunks"),
    ("GET", "/libraries/l/chunks/none"),
    ("POST", "/libraries/none/chunks/query"),
    ("POST", "/libraries/none/search"),
    ("POST", "/libraries/none/search/batch"),
]


@pytest.mark.parametrize(("method", "path"), MISSING)
async def test_what_is_not_there_has_the_position_of_the_state_without_it(
    api: httpx.AsyncClient, document: str, method: str, path: str
) -> None:
    search = {"embedding": [1, 0]}
    bodies = {"search": search, "batch": {"searches": [search]}}
    body = bodies.get(path.rpartition("/")[2], {}) if method == "POST" else None
    answer = await api.request(method, path, json=body)
    assert_problem(answer, 404)
    assert answer.headers["Nalanda-Position"] == "2"


MISSING_WRITES = [
    ("PATCH", "/libraries/none"),
    ("DELETE", "/libraries/none"),
    ("PUT", "/libraries/none/index"),
    ("POST", "/libraries/none/documents"),
    ("PUT", "/libraries/none/documents/d"),
    ("PATCH", "/libraries/l/documents/none"),
    ("DELETE", "/libraries/l/documents/none"),
    ("POST", "/libraries/l/documents/none/chunks"),
    ("PATCH", "/libraries/l/chunks/none"),
    ("DELETE", "/libraries/l/chunks/none"),
    ("DELETE", "/libraries/none/chunks/a"),
    ("POST", "/libraries/none/chunks/delete"),
]


@pytest.mark.parametrize(("method", "path"), MISSING_WRITES)
async def test_what_a_write_does_not_find_has_the_position_of_the_state_without_it(
    api: httpx.AsyncClient, document: str, method: str, path: str
) -> None:
    bodies: dict[str, object] = {
        "index": {"kind": "flat"},
        "chunks": {"chunks": [{"text": "t", "embedding": [1, 0]}]},
        "delete": {"ids": ["a"]},
    }
    body = None if method == "DELETE" else bodies.get(path.rpartition("/")[2], {})
    answer = await api.request(method, path, json=body)
    assert_problem(answer, 404)
    assert answer.headers["Nalanda-Position"] == "2"


async def test_each_write_moves_it_by_one(api: httpx.AsyncClient, document: str) -> None:
    search = {"embedding": [1, 0]}
    answers = [
        await api.put("/libraries/l/chunks/z", json={"document_id": "d", "text": "z", **search}),
        await api.patch("/libraries/l/chunks/z", json={"metadata": {"n": 1}}),
        await api.put("/libraries/l/index", json={"kind": "flat"}),
        await api.delete("/libraries/l/chunks/z"),
        await api.delete("/libraries/l/documents/d"),
        await api.delete("/libraries/l"),
    ]
    assert [answer.headers["Nalanda-Position"] for answer in answers] == list("345678")


async def test_what_failed_moves_nothing(api: httpx.AsyncClient, document: str) -> None:
    await api.put("/libraries/l/chunks/z", json={"document_id": "d", "text": "z"})
    await api.post("/libraries", json={"name": "planar"})
    assert (await api.get("/libraries/l")).headers["Nalanda-Position"] == "2"


@pytest.mark.parametrize("path", [*READS, "/libraries/none"])
async def test_a_position_that_is_not_reached(
    api: httpx.AsyncClient, document: str, path: str
) -> None:
    answer = await api.get(path, headers={"Nalanda-Min-Position": "1000"})
    assert_problem(answer, 503)
    assert int(answer.headers["Retry-After"]) >= 1


async def test_a_search_waits_too(api: httpx.AsyncClient, document: str) -> None:
    headers = {"Nalanda-Min-Position": "3"}
    body = {"embedding": [1, 0]}
    assert_problem(await api.post("/libraries/l/search", json=body, headers=headers), 503)


async def test_a_position_that_is_reached_in_time(settings: Settings) -> None:
    patient = settings.model_copy(update={"min_position_wait_s": 30})
    async with open_client(patient) as api:
        headers = {"Nalanda-Min-Position": "1"}
        waiting = asyncio.create_task(api.get("/libraries/l", headers=headers))
        await asyncio.sleep(0)
        await api.put("/libraries/l", json={"name": "n"})
        assert (await waiting).status_code == 200


@pytest.mark.parametrize("value", ["-1", "1.5", "abc", "", "1e3"])
async def test_a_position_that_is_none(api: httpx.AsyncClient, value: str) -> None:
    answer = await api.get("/libraries", headers={"Nalanda-Min-Position": value})
    assert_problem(answer, 422, "/Nalanda-Min-Position")
