"""The threads that build segments, which leave the processor to searches."""

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

_NICENESS = 10
"""A tenth of the share of a thread that answers, where both want the same core."""

_LINGERING_S = 0.2
"""After a search the next one is expected for as long."""

_last_search_s = -float("inf")


def build_threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, "build", initializer=give_way)


def give_way() -> None:
    """Called by a thread: from now on it is one of those that others go before."""
    if sys.platform == "linux":  # where a thread has a niceness of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def searched() -> None:
    """Somebody waits for answers."""
    global _last_search_s
    _last_search_s = time.monotonic()


def at_once(threads: int) -> int:
    """How many of them may work: all but one while searches come, so that there is a core."""
    busy = time.monotonic() - _last_search_s < _LINGERING_S
    return max(1, threads - 1) if busy else threads
