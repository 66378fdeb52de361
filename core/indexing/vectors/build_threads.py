"""The threads that build segments, which leave the processor to searches."""

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
"""A tenth of the share of a thread that answers, where both want the same core."""

_LINGERING_S = 0.2
"""After a search the next one is expected for as long."""

_REST_US = 50
"""With what a sleep takes beside, about as long as it takes to find a vector's neighbours."""

_FREE_CORES = 2
"""One for the thread that answers searches, one for whoever else has something to do."""

_last_search_s = -float("inf")


class _BuildThreads(ThreadPoolExecutor):
    """Each task begins where it may by then run: off one core, while searches come.

    A niceness is not enough. Where a thread that answers wakes on a core that one of these has,
    the scheduler lets it wait for milliseconds.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        def placed() -> T:
            _take_place()
            return fn(*args, **kwargs)

        return super().submit(placed)


def build_threads(count: int) -> ThreadPoolExecutor:
    return _BuildThreads(count, "build", initializer=lower_priority)


def lower_priority() -> None:
    """Called by a thread: from now on it is one of those that others go before."""
    if sys.platform == "linux":  # where a thread has a niceness of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def searched() -> None:
    """Somebody waits for answers."""
    global _last_search_s
    _last_search_s = time.monotonic()


def at_once(threads: int) -> int:
    """How many of them may work: all but one while searches come, so that there is a core."""
    return max(1, threads - 1) if _searches_come() else threads


def rest_us(threads: int) -> int:
    """How long each of so many that work rests after every vector: while searches come, unless
    there are cores free of builds. A search that meets a build at rest does not share its core
    with it, nor wait until the scheduler's slice is over."""
    crowded = threads > len(_cores()) - _FREE_CORES
    return _REST_US if crowded and _searches_come() else 0


def _cores() -> set[int]:
    """Of this process."""
    if sys.platform != "linux":
        return set(range(os.cpu_count() or 1))
    return os.sched_getaffinity(os.getpid())


def _searches_come() -> bool:
    return time.monotonic() - _last_search_s < _LINGERING_S


def _take_place() -> None:
    """On the cores of the process, all or all but one."""
    if sys.platform != "linux":
        return
    cores = _cores()
    mine = cores - {min(cores)} if _searches_come() else cores
    if mine and mine != os.sched_getaffinity(0):
        with suppress(OSError):  # a core was taken away meanwhile
            os.sched_setaffinity(0, mine)
