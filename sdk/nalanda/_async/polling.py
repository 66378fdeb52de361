"""Polling of a workflow's state, until the workflow has closed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from math import inf
from time import monotonic
from typing import Protocol, TypeVar

from nalanda._errors import TimedOut

LONGEST_POLL_S = 1.0


class Closable(Protocol):
    """A state; `closed` is True for the last one."""

    @property
    def closed(self) -> bool: ...


S = TypeVar("S", bound=Closable)


async def watch_states(
    get: Callable[[], Awaitable[S]], name: str, *, first_poll_s: float, timeout_s: float | None
) -> AsyncIterator[S]:
    """Yield the state now and after each change; the last one is closed.

    The pause before a poll doubles from `first_poll_s` while nothing changes. `name`: what an error
    calls the workflow.

    Raises:
        TimedOut: the workflow was not over in time. It still runs.
    """
    deadline = inf if timeout_s is None else monotonic() + timeout_s
    last: S | None = None
    pause_s = first_poll_s
    while True:
        state = await get()
        if state != last:
            yield state
            last, pause_s = state, first_poll_s
        if state.closed:
            return
        if monotonic() + pause_s > deadline:
            raise TimedOut(f"{name} is still running after {timeout_s} s.")
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_POLL_S)
