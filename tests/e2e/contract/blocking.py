"""`AsyncNalanda` called as if it were `Nalanda`, so that one test holds for both."""

import asyncio
from collections.abc import AsyncIterator
from inspect import isawaitable
from typing import Any


class Blocking:
    """Waits for each coroutine, and reads each asynchronous iterator to its end."""

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
