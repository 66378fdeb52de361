"""How long something takes, as whoever waits for it sees it."""

import time
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def timed(work: Awaitable[T]) -> tuple[float, T]:
    """Milliseconds, and what came of it."""
    started = time.perf_counter()
    outcome = await work
    return (time.perf_counter() - started) * 1000, outcome
