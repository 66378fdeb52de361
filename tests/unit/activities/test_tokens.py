"""Tokens reach the API in order, again after a restart, and never fail an answer."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from activities import tokens
from activities.tokens import Tokens
from core.providers.streaming import emit
from nalanda import AsyncNalanda


class Api(httpx.MockTransport):
    """An API that takes tokens, `down` for some calls, and may forget what it has."""

    def __init__(self) -> None:
        super().__init__(self._handle)
        self.texts: list[str] = []
        self.calls: list[dict[str, Any]] = []
        self.down = 0

    def _handle(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/query/q1/tokens"
        body = json.loads(request.content)
        self.calls.append(body)
        if self.down:
            self.down -= 1
            return httpx.Response(503)
        if body["before"] <= len(self.texts):
            self.texts[body["before"] :] = body["texts"]
        return httpx.Response(200, json={"taken": len(self.texts)})

    def client(self) -> AsyncNalanda:
        return AsyncNalanda("http://api", transport=self, max_retries=0)


async def fail(client: AsyncNalanda) -> None:
    async with Tokens(client, "q1", 0):
        emit("a")
        raise ValueError("no")


async def until_sent(api: Api, count: int) -> None:
    async with asyncio.timeout(20):
        while len(api.texts) < count:  # noqa: ASYNC110 - in another task
            await asyncio.sleep(0.001)


async def test_tokens_are_sent_while_they_are_written() -> None:
    api = Api()
    async with api.client() as client:
        async with Tokens(client, "q1", 0):
            emit("Nine ")
            await until_sent(api, 1)
            emit("fathoms")
            emit("")
            emit(".")
        assert api.texts == ["Nine ", "fathoms", "."]
    assert [call["series"] for call in api.calls] == [0] * len(api.calls)


async def test_a_provider_that_does_not_stream_costs_no_call() -> None:
    api = Api()
    async with api.client() as client, Tokens(client, "q1", 0):
        await asyncio.sleep(0)
    assert api.calls == []


async def test_another_attempt_is_announced_without_a_token() -> None:
    api = Api()
    async with api.client() as client, Tokens(client, "q1", 2):
        pass
    assert api.calls == [{"series": 2, "before": 0, "texts": []}]


async def test_an_api_that_has_restarted_gets_all_again() -> None:
    api = Api()
    async with api.client() as client:
        async with Tokens(client, "q1", 0):
            emit("a")
            await until_sent(api, 1)
            api.texts.clear()
            emit("b")
        assert api.texts == ["a", "b"]


async def test_an_api_that_is_away_fails_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "PAUSE_S", 0.001)
    monkeypatch.setattr(tokens, "LAST_S", 60)
    api = Api()
    async with api.client() as client:
        api.down = 2
        async with Tokens(client, "q1", 0):
            emit("a")
        assert api.texts == ["a"]
        monkeypatch.setattr(tokens, "LAST_S", 0.05)
        api.down = 1_000_000
        async with Tokens(client, "q1", 1):
            emit("b")


async def test_the_error_of_a_provider_goes_on() -> None:
    api = Api()
    async with api.client() as client:
        with pytest.raises(ValueError, match="no"):
            await fail(client)
        emit("nobody listens")
