"""Waiting for the effects of another thread or process, with a deadline."""

import time
from collections.abc import Callable

_FIRST_POLL_S, _LONGEST_POLL_S = 0.005, 0.1
_SHARE = 0.05
"""The longest time between two looks, as a share of the wait so far.

Short waits end at once, and long ones put no load on the processes that are waited for.
"""

BUILT_S = 300.0
"""Enough for a build on a loaded machine whose kernels are not compiled yet."""


def until(holds: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait until the condition holds; fail at the deadline."""
    began = time.monotonic()
    while not holds():
        waited_s = time.monotonic() - began
        assert waited_s < timeout_s, f"The condition did not hold within {timeout_s:g} s."
        time.sleep(min(max(_FIRST_POLL_S, waited_s * _SHARE), _LONGEST_POLL_S))
