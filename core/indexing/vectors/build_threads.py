"""The threads that build segments, at a lower priority than searches."""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import ParamSpec, TypeVar

from core.indexing.vectors.search_activity import SearchActivity

P = ParamSpec("P")
T = TypeVar("T")

_NICENESS = 10
"""Gives a build thread a tenth of a search thread's share where both want the same core."""

_REST_US = 50
"""A rest; with the overhead of a sleep, about as long as finding one vector's neighbours takes."""

_FREE_CORES = 2
"""The cores that builds leave free: one for searches, one for other threads."""


class BuildThreads(ThreadPoolExecutor):
    """A pool of `count` low-priority threads, which leave a core free during searches.

    A task starts on the cores that builds may use. A niceness alone is not enough: when a search
    thread wakes on a core that a build thread occupies, the scheduler lets the search wait for
    milliseconds. `activity`: the searches to yield to, none if `None`.
    """

    def __init__(self, count: int, activity: SearchActivity | None = None) -> None:
        super().__init__(count, "build", initializer=lower_priority)
        self._count = count
        self._activity = activity or SearchActivity()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        def run_pinned() -> T:
            self._pin_to_cores()
            return fn(*args, **kwargs)

        return super().submit(run_pinned)

    @property
    def budget(self) -> int:
        """The number of threads that may work now: all, or all but one during searches."""
        return max(1, self._count - 1) if self._activity.is_recent else self._count

    def rest_us(self, threads: int) -> int:
        """Return how long each of `threads` threads rests after every vector, in microseconds.

        Threads rest only during searches, and only if builds occupy all cores. A search that meets
        a resting build neither shares its core nor waits for the end of the scheduler's time slice.
        """
        crowded = threads > len(_cores()) - _FREE_CORES
        return _REST_US if crowded and self._activity.is_recent else 0

    def _pin_to_cores(self) -> None:
        """Bind the calling thread to the process's cores: all, or all but one during searches."""
        if sys.platform != "linux":
            return
        cores = _cores()
        mine = cores - {min(cores)} if self._activity.is_recent else cores
        if mine and mine != os.sched_getaffinity(0):
            with suppress(OSError):  # the process has lost a core meanwhile
                os.sched_setaffinity(0, mine)


def lower_priority() -> None:
    """Lower the calling thread's priority, so that searches run before it."""
    if sys.platform == "linux":  # only Linux has a niceness for each thread
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _cores() -> set[int]:
    """Return the cores that this process may use."""
    if sys.platform != "linux":
        return set(range(os.cpu_count() or 1))
    return os.sched_getaffinity(os.getpid())
