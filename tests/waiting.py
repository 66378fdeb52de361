"""Waiting for the effects of another thread or process, with a deadline."""

import time
from collections.abc import Callable

_POLL_S = 0.005
"""Short enough for a wait that many tests have, and no load on the process that is waited for."""


def until(holds: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Wait until the condition holds; fail at the deadline."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"The condition did not hold within {timeout_s:g} s."
        time.sleep(_POLL_S)
