"""Precedence of questions: an ingestion begins no file while a stage of a question runs here."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

GRACE_S = 0.1
"""Time after a stage in which the question's next one may begin."""

MAX_WAIT_S = 0.25
"""The longest wait of a file, so that questions without an end slow an ingestion, and no more."""


class QuestionStages(Interceptor):
    """The stages of questions that run in this process, as the worker of questions counts them."""

    def __init__(self) -> None:
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._grace: asyncio.TimerHandle | None = None

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 (the base class names it so)
        counted = _Counted(next)
        counted.stages = self
        return counted

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count a stage, from the event loop."""
        self._running += 1
        self._idle.clear()
        if self._grace is not None:
            self._grace.cancel()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._grace = asyncio.get_running_loop().call_later(GRACE_S, self._idle.set)

    async def wait_until_idle(self) -> None:
        """Wait until no stage runs, nor has just ended, for `MAX_WAIT_S` at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(MAX_WAIT_S):
                await self._idle.wait()


class _Counted(ActivityInboundInterceptor):
    stages: QuestionStages

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 (as above)
        with self.stages.running():
            return await super().execute_activity(input)
