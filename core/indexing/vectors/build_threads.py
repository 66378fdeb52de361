"""The threads that build segments, at a lower priority than searches."""

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_NICENESS = 10
"""Gives a build thread a tenth of a search thread's share where both want the same core."""

_LINGERING_S = 0.2
"""The time after a search in which the next search is expected."""

_REST_US = 50
"""A rest; with the overhead of a sleep, about as long as finding one vector's neighbours takes."""

_FREE_CORES = 2
"""The cores that builds leave free: one for searches, one for other threads."""

_last_search_s = -float("inf")


class _BuildThreads(ThreadPoolExecutor):
    """A pool whose tasks start on the cores that builds may use: all but one during searches.

    A niceness alone is not enough. When a search thread wakes on a core that a build thread
    occupies, the scheduler lets the search wait for milliseconds.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        def run_pinned() -> T:
            _pin_to_cores()
            return fn(*args, **kwargs)

        return super().submit(run_pinned)


def build_threads(count: int) -> ThreadPoolExecutor:
    """Create a pool of `count` low-priority threads."""
    return _BuildThreads(count, "build", initializer=lower_priority)


def lower_priority() -> None:
    """Lower the calling thread's priority, so that searches run before it."""
    if sys.platform == "linux":  # only Linux has a niceness for each thread
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def record_search() -> None:
    """Record that a search is running now."""
    global _last_search_s
    _last_search_s = time.monotonic()


def thread_budget(threads: int) -> int:
    """Return how many build threads may work: all, or all but one during searches."""
    return max(1, threads - 1) if _is_searched() else threads


def rest_us(threads: int) -> int:
    """Return how long each of `threads` build threads rests after every vector, in microseconds.

    Threads rest only during searches, and only if builds occupy all cores. A search that meets a
    resting build neither shares its core nor waits for the end of the scheduler's time slice.
    """
    crowded = threads > len(_cores()) - _FREE_CORES
    return _REST_US if crowded and _is_searched() else 0


def _cores() -> set[int]:
    """Return the cores that this process may use."""
    if sys.platform != "linux":
        return set(range(os.cpu_count() or 1))
    return os.sched_getaffinity(os.getpid())


def _is_searched() -> bool:
    return time.monotonic() - _last_search_s < _LINGERING_S


def _pin_to_cores() -> None:
    """Bind the calling thread to the process's cores: all, or all but one during searches."""
    if sys.platform != "linux":
        return
    cores = _cores()
    mine = cores - {min(cores)} if _is_searched() else cores
    if mine and mine != os.sched_getaffinity(0):
        with suppress(OSError):  # the process has lost a core meanwhile
            os.sched_setaffinity(0, mine)
