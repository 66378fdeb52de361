"""The time of the last search, by which builds leave a core to searches."""

import math
import time
from collections.abc import Callable

_LINGERING_S = 0.2
"""The time after a search in which the next search is expected."""


class SearchActivity:
    """The searches of one process; searches record themselves, and builds ask."""

    __slots__ = ("_clock", "_last_s")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_s = -math.inf

    def record(self) -> None:
        """Record that a search is running now."""
        self._last_s = self._clock()

    @property
    def is_recent(self) -> bool:
        """True if a search ran a moment ago."""
        return self._clock() - self._last_s < _LINGERING_S
