"""`make bench ARGS=writing`: searches while a writer writes at full speed and segments are built.

Every answer is checked: it is of one position, of which the writer knows all ids.
"""

import statistics
import threading
from collections.abc import Sequence
from itertools import count
from time import perf_counter

import numpy as np

from benchmarks.index.datasets import MAKERS, Dataset, K
from benchmarks.index.libraries import LIBRARY, Filled, fill, library
from benchmarks.index.report import write
from core.indexing.warming import call_every_kernel
from core.services.search_request import SearchRequest

SEARCHES = 4_000
_AT_ONCE = 20


async def main(*arguments: str) -> None:
    call_every_kernel()
    [name] = arguments or ("clustered",)
    dataset = MAKERS[name]()
    with library(dataset.metric, dataset.rows.shape[1], threads=1) as filled:
        fill(filled, dataset)
        quiet = _latencies(filled, dataset)
        writer = _Writer(filled, dataset)
        writer.start()
        busy = _latencies(filled, dataset)
        writer.stop()
        builds = filled.catalog.library(LIBRARY)
    measured = {"quiet": _summary(quiet), "while writing": _summary(busy)}
    ratio = measured["while writing"]["p99_us"] / measured["quiet"]["p99_us"]
    print(f"\n{dataset.description}: {SEARCHES:,} searches, one thread, µs")
    for state, summary in measured.items():
        print(f"  {state:14} p50 {summary['p50_us']:7.0f}   p99 {summary['p99_us']:7.0f}")
    print(f"  p99 {ratio:.2f} x; {writer.written:,} chunks written and {writer.deleted:,} deleted")
    print(f"  meanwhile, {writer.rate:,.0f} a second; {len(builds.parts)} parts at the end")
    write("writing", {**measured, "p99_ratio": ratio, "writes_per_second": writer.rate})


def _latencies(filled: Filled, dataset: Dataset) -> list[float]:
    taken = []
    for i in range(SEARCHES):
        request = SearchRequest(LIBRARY, embedding=dataset.queries[i % len(dataset.queries)], k=K)
        started = perf_counter()
        answer = filled.search.search(request)
        taken.append(1e6 * (perf_counter() - started))
        ids = [hit.chunk.id for hit in answer.hits]
        assert len(set(ids)) == K, "an answer has k different hits"
    return taken[SEARCHES // 20 :]


def _summary(taken: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(taken, n=100)
    return {"p50_us": cuts[49], "p99_us": cuts[98]}


class _Writer:
    """Adds copies of rows with some noise, and deletes what it added before."""

    def __init__(self, filled: Filled, dataset: Dataset) -> None:
        self._filled, self._rows = filled, dataset.rows
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.written = self.deleted = 0
        self.rate = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        rng = np.random.default_rng(4)
        started = perf_counter()
        first = len(self._rows)
        for turn in count():
            if self._stopped.is_set():
                break
            chosen = rng.integers(0, len(self._rows), _AT_ONCE)
            noise = 0.01 * rng.standard_normal((_AT_ONCE, self._rows.shape[1]))
            self._filled.put(
                first + self.written, np.asarray(self._rows[chosen] + noise, np.float32)
            )
            self.written += _AT_ONCE
            if turn % 2:
                numbers = np.arange(self.deleted, self.deleted + _AT_ONCE)
                self._filled.delete(first + numbers)
                self.deleted += _AT_ONCE
        self.rate = (self.written + self.deleted) / (perf_counter() - started)
