"""Waiting for another thread's effects, with a deadline."""

import time
from collections.abc import Callable


def until(holds: Callable[[], bool], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "It has not come to be in time."
        time.sleep(0.0005)
