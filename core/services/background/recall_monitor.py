"""Measures recall: repeats a share of live searches exactly, in the background.

Calibration uses the vectors of a library, and queries may have another distribution. So recall
is measured on live queries and reported. Where it is below the target, the `ef` or
`nprobe` of that library is raised.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from queue import Empty, Full, Queue

import numpy as np
from numpy.typing import NDArray

from core.background_thread import BackgroundThread
from core.domain.library import Library
from core.indexing.maintenance.index_status import Recall
from core.indexing.vectors.build_threads import lower_priority
from core.indexing.vectors.vector_index import SearchParams
from core.indexing.views.ranking import Ranking
from core.indexing.views.view import LibraryView, Matches

SAMPLE_EVERY = 128
"""One of `SAMPLE_EVERY` approximate searches is repeated, at about fifty times its cost."""

MAX_LIBRARIES = 1_000
"""The number of libraries, the last measured ones, whose recall is kept."""

_SHARE = 0.01
"""The share of a core's time that repetitions may take, whatever the number of searches."""

_QUEUE_SIZE = 8
_WINDOW = 256
_MIN_SAMPLES = 32
_TOLERANCE = 0.01
_BOOST_STEP, _MAX_BOOST = 1.25, 8.0


@dataclass(frozen=True, slots=True, eq=False)
class SampledSearch:
    """An approximate search to repeat exactly.

    `query`: `(d,) float32`. `target`: the target recall, `None` with a set `ef` or `nprobe`.
    """

    view: LibraryView
    query: NDArray[np.float32]
    k: int
    matches: Matches | None
    ranking: Ranking
    target: float | None


@dataclass(slots=True)
class _Searches:
    """The recall of the last searches of a library, as it was `set_up`.

    `shares` has the recall of each, `of_target` those with a target since the boost changed.
    """

    set_up: tuple[object, ...]
    shares: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    of_target: list[float] = field(default_factory=list)
    boost: float = 1.0


class RecallMonitor:
    """The monitor of recall; `offer` is cheap, and drops searches if the queue is full."""

    def __init__(
        self, *, every: int = SAMPLE_EVERY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._every = every
        self._clock = clock
        self._resting_until_s = -math.inf
        self._seen = count(1)
        self._queue: Queue[SampledSearch] = Queue(_QUEUE_SIZE)
        # By library id, the last measured one last.
        self._searches: dict[str, _Searches] = {}
        self._thread = BackgroundThread(
            "recall",
            self._measure_next,
            failure="The recall of a search could not be measured.",
            begin=lower_priority,
        )

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop the thread, after its current search."""
        self._thread.close()

    def is_due(self) -> bool:
        """Return whether to repeat this search; called once for each approximate search."""
        return next(self._seen) % self._every == 0 and self._clock() >= self._resting_until_s

    def offer(self, sample: SampledSearch) -> None:
        try:
            self._queue.put_nowait(sample)
        except Full:
            return
        self._thread.wake()

    def recall(self, library: Library) -> Recall | None:
        """Return a library's measured recall, `None` before the first measurement."""
        searches = self._searches_of(library)
        if searches is None or not searches.shares:
            return None
        shares = sorted(searches.shares)
        worst = shares[: math.ceil(len(shares) / 10)]
        return Recall(sum(shares) / len(shares), sum(worst) / len(worst), len(shares))

    def boost(self, library: Library) -> float:
        """Return the factor, at least 1, on the calibrated `ef` or `nprobe`."""
        searches = self._searches_of(library)
        return 1.0 if searches is None else searches.boost

    def measure(self, sample: SampledSearch) -> None:
        """Repeat a search exactly, on its own view, and record its recall."""
        params = SearchParams(exact=True)
        [exact] = sample.view.search(
            sample.query[np.newaxis], sample.k, matches=sample.matches, params=params
        )
        if not len(exact.scores):
            return
        # By scores, not rows, because any of several equal scores is right.
        hits = int(np.count_nonzero(sample.ranking.scores >= exact.scores[-1]))
        library = sample.view.library
        searches = self._searches_of(library) or _Searches(_set_up(library))
        searches.shares.append(min(1.0, hits / len(exact.scores)))
        if sample.target is not None:
            searches.of_target.append(searches.shares[-1])
            _adjust(searches, sample.target)
        self._searches.pop(library.id, None)
        self._searches[library.id] = searches
        if len(self._searches) > MAX_LIBRARIES:
            del self._searches[next(iter(self._searches))]

    def _searches_of(self, library: Library) -> _Searches | None:
        searches = self._searches.get(library.id)
        return searches if searches and searches.set_up == _set_up(library) else None

    def _measure_next(self) -> float:
        try:
            sample = self._queue.get_nowait()
        except Empty:
            return math.inf
        began_s = time.thread_time()
        self.measure(sample)
        taken_s = time.thread_time() - began_s
        self._resting_until_s = self._clock() + taken_s / _SHARE
        return 0.0


def _set_up(library: Library) -> tuple[object, ...]:
    """Return what recall depends on, besides rows and queries.

    A library that was deleted and created again with the same id differs in its time of creation.
    """
    return library.created_at, library.metric, library.embedding_model, library.index


def _adjust(searches: _Searches, target: float) -> None:
    if len(searches.of_target) < _MIN_SAMPLES:
        return
    measured = sum(searches.of_target) / len(searches.of_target)
    searches.of_target.clear()
    if measured < target - _TOLERANCE:
        searches.boost = min(_MAX_BOOST, searches.boost * _BOOST_STEP)
    elif measured > target + _TOLERANCE:
        searches.boost = max(1.0, searches.boost / _BOOST_STEP)
