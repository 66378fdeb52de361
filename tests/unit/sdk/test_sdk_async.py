"""The asynchronous client: the same interface, and equal behaviour outside of shared code."""

import inspect

import httpx
import pytest

from nalanda import AsyncNalanda, Nalanda, QueryFailed, UnavailableError
from tests.unit.sdk.script import FOUND, HANDLE, LIBRARY, RESULT, Script, ok, page, problem, state

REFUSED = httpx.ConnectError("refused")
GROUPS = ("libraries", "documents", "chunks", "index", "queries")


def surface(thing: object) -> dict[str, list[str]]:
    """Return the public methods with their parameters' names."""
    return {
        name: list(inspect.signature(method).parameters)
        for name, method in inspect.getmembers(thing, inspect.ismethod)
        if not name.startswith("_") and name not in {"close", "aclose"}
    }


async def test_both_clients_have_the_same_surface() -> None:
    script = Script(ok({}))
    with script.client() as blocking:
        async with script.async_client() as waiting:
            assert surface(blocking) == surface(waiting)
            for group in GROUPS:
                assert surface(getattr(blocking, group)) == surface(getattr(waiting, group)) != {}


async def test_it_tries_again(sleeps: list[float]) -> None:
    script = Script(
        httpx.ConnectError("no"), problem(503, retry_after="2"), ok(LIBRARY, position=4)
    )
    async with script.async_client() as client:
        library = await client.libraries.get("books")
        assert (library.name, client.position) == ("books", 4)
    assert sleeps[1] == 2


async def test_it_gives_up(sleeps: list[float]) -> None:
    async with Script(problem(503)).async_client(max_retries=1) as client:
        with pytest.raises(UnavailableError):
            await client.search("books", text="x")
    assert len(sleeps) == 1


async def test_a_listing_goes_over_pages() -> None:
    async with Script(page([LIBRARY], "next"), page([LIBRARY])).async_client() as client:
        assert [library.name async for library in client.libraries.list()] == ["books", "books"]


async def test_a_search() -> None:
    async with Script(ok(FOUND)).async_client() as client:
        assert [hit.chunk_id for hit in (await client.search("l1", text="x")).hits] == ["c1"]


async def test_ask(sleeps: list[float]) -> None:
    steps = [ok(HANDLE, status=202), state("running"), state("running")]
    async with Script(*steps, state("completed", result=RESULT)).async_client() as client:
        assert (await client.ask("books", "why?")).answer == "42"
    async with Script(*steps, state("cancelled")).async_client() as client:
        with pytest.raises(QueryFailed, match="cancelled"):
            await client.ask("books", "why?")


async def test_closing_it_closes_the_connection() -> None:
    client = AsyncNalanda("http://127.0.0.1:1")
    await client.aclose()
    blocking = Nalanda("http://127.0.0.1:1")
    blocking.close()
    with pytest.raises(RuntimeError, match="closed"):
        blocking.version()
