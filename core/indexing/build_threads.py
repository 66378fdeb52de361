"""The threads that build segments, which leave the processor to searches."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

_NICENESS = 10
"""A tenth of the share of a thread that answers, where both want the same core."""


def build_threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, "build", initializer=_give_way)


def _give_way() -> None:
    if sys.platform == "linux":  # where a thread has a niceness of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
