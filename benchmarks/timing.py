"""Durations as the caller observes them."""

import time
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def time_ms(work: Awaitable[T]) -> tuple[float, T]:
    """Return the milliseconds and the result."""
    started = time.perf_counter()
    outcome = await work
    return (time.perf_counter() - started) * 1000, outcome
