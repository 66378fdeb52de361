"""Back-pressure: slows writes to a library whose rows arrive faster than they are sealed.

A search compares every row that has no index. Unlimited writes would slow each search more and
more: by some 10 ms for each 100,000 rows of 384 dimensions.
"""

import time
from collections.abc import Callable
from threading import BoundedSemaphore

from core.domain.errors import Unavailable
from core.indexing.maintenance.merge_policy import FLUSH_ROWS
from core.indexing.views.catalog import Catalog
from core.indexing.views.view import LibraryView

LOW_ROWS = 16 * FLUSH_ROWS
"""The number of waiting rows up to which writes are not delayed; one build takes them all."""

MOST_ROWS = 64 * FLUSH_ROWS
"""The number of waiting rows from which writes are refused."""

RETRY_AFTER_S = 5.0
LONGEST_S = 1.0
"""The longest delay of a write."""

MOST_DELAYED = 8
"""The most writes delayed at once; others are refused, as each delayed write holds a thread."""

_ROW_S = 0.002
"""The delay for each row of a write when `MOST_ROWS` wait."""


class BackPressure:
    """Delays or refuses writes; `failure` returns why a library's last build failed, if it did."""

    def __init__(
        self,
        catalog: Catalog,
        failure: Callable[[str], str | None],
        *,
        low_rows: int = LOW_ROWS,
        most_rows: int = MOST_ROWS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._catalog = catalog
        self._failure = failure
        self._low_rows = low_rows
        self._most_rows = most_rows
        self._sleep = sleep
        self._delays = BoundedSemaphore(MOST_DELAYED)

    def admit(self, library_id: str, rows: int) -> None:
        """Wait until a write of `rows` rows may begin, usually not at all.

        Raises:
            Unavailable: too many rows already wait for an index.
        """
        view = self._catalog.state.views.get(library_id)
        if view is None or not rows:
            return
        failure = self._failure(library_id)
        waiting = _count_unindexed(view, building=failure is None)
        if waiting >= self._most_rows:
            raise Unavailable(_refusal(waiting, failure), retry_after_s=RETRY_AFTER_S)
        if waiting > self._low_rows:
            share = (waiting - self._low_rows) / (self._most_rows - self._low_rows)
            self._delay(waiting, min(LONGEST_S, share * rows * _ROW_S))

    def _delay(self, waiting: int, delay_s: float) -> None:
        if not self._delays.acquire(blocking=False):
            raise Unavailable(_refusal(waiting, None), retry_after_s=LONGEST_S)
        try:
            self._sleep(delay_s)
        finally:
            self._delays.release()


def _count_unindexed(view: LibraryView, *, building: bool) -> int:
    """Count the live rows without an index.

    Frozen rows do not count while `building`, as a build is already working on them.
    """
    return sum(
        segment.live
        for segment in view.segments
        if segment.index is None and not (building and segment.frozen)
    )


def _refusal(waiting: int, failure: str | None) -> str:
    refusal = f"{waiting} rows of the library wait for its index"
    return f"{refusal}, which can't be built: {failure}" if failure else f"{refusal}. Retry later."
