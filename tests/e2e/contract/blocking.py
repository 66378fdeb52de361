"""A blocking wrapper of `AsyncNalanda`, so that one test covers both clients."""

import asyncio
from collections.abc import AsyncIterator
from inspect import isawaitable
from typing import Any


class Blocking:
    """A wrapper that awaits each coroutine, and reads each async iterator to its end."""

    def __init__(self, runner: asyncio.Runner, wrapped: object) -> None:
        self._runner = runner
        self._wrapped = wrapped

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._wrapped, name)
        module = type(value).__module__
        return Blocking(self._runner, value) if module.startswith("nalanda") else self._plain(value)

    def _plain(self, value: Any) -> Any:
        if not callable(value):
            return value

        def call(*args: Any, **options: Any) -> Any:
            return self._runner.run(_finished(value(*args, **options)))

        return call


async def _finished(value: Any) -> Any:
    if isawaitable(value):
        return await value
    if isinstance(value, AsyncIterator):
        return iter([item async for item in value])
    return value
