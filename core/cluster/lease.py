"""The lease as its holder judges it, and as other nodes do: each by its own clock alone.

A holder counts from the moment before it sent a renewal, another node from the moment after it read
one. So the holder stops first, whatever any wall clock shows; the margin is for clocks that run at
different speeds.
"""

import time
from collections.abc import Callable
from typing import TypeAlias

from core.ports.cluster import Lease

MARGIN = 0.1
"""The part of a lease that its holder does not use."""

SteadyClock: TypeAlias = Callable[[], float]
"""Seconds that never jump."""


def boot_s() -> float:
    """Return the seconds since the machine's start, in which it may have been suspended."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class HeldLease:
    """A lease that this process holds."""

    def __init__(self, epoch: int, length_s: float, sent_s: float, clock: SteadyClock) -> None:
        """`sent_s`: the time just before the call that took the lease."""
        self.epoch = epoch
        self._clock = clock
        self._length_s = length_s
        self.extend(sent_s)

    def extend(self, sent_s: float) -> None:
        """Count a renewal that was sent at `sent_s` and has succeeded."""
        self.sent_s = sent_s
        self._ends_s = sent_s + self._length_s * (1 - MARGIN)

    @property
    def is_valid(self) -> bool:
        """Return whether no other process can hold the lease now."""
        return self._clock() < self._ends_s


class Observation:
    """The time for which another node's lease was not renewed."""

    def __init__(self, clock: SteadyClock) -> None:
        self._clock = clock
        self._seen: tuple[object, ...] | None = None
        self._since_s = 0.0

    def note(self, lease: Lease) -> None:
        """Note the lease as it was just read."""
        seen = (lease.epoch, lease.node_id, lease.incarnation, lease.renewals)
        if seen != self._seen:
            self._seen, self._since_s = seen, self._clock()

    def has_lasted(self, length_s: float) -> bool:
        return self._clock() - self._since_s >= length_s
