"""All kernels made ready before anybody waits for them: compiled, or loaded from the cache.

A kernel is compiled when it is first called, which takes seconds for all of them. So a thread
calls each at the start; a search that comes before goes on without kernels, or waits for its
own alone.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np

from core.domain.library import Metric
from core.indexing.exact import Vectors

_log = logging.getLogger(__name__)

_ROWS, _DIMENSION = 80, 8


class Warmup:
    """`start` once; `is_ready` from then on tells. It never fails but leaves a line in the log."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="compile", daemon=True)

    @property
    def is_ready(self) -> bool:
        return self._ready.is_set()

    def start(self) -> None:
        self._thread.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        return self._ready.wait(timeout_s)

    def _run(self) -> None:
        started = perf_counter()
        try:
            call_every_kernel()
        except Exception:
            _log.exception("Kernels can't be compiled; searches go on without, and are slow.")
        else:
            _log.info("Kernels are ready after %.1f s.", perf_counter() - started)
        finally:
            self._ready.set()


def call_every_kernel() -> None:
    """In the order in which searches need them."""
    # Importing numba takes as long as all else at the start of a process.
    from core.indexing.coded import encode
    from core.indexing.flat import FlatIndex
    from core.indexing.hnsw_build import build_hnsw
    from core.indexing.vector_index import Effort

    rows = np.random.default_rng(0).standard_normal((_ROWS, _DIMENSION), np.float32)
    allowed = np.arange(_ROWS) % 2 == 0
    vectors = Vectors(Metric.L2, rows, np.linalg.norm(rows.astype(np.float64), axis=1))
    with ThreadPoolExecutor(1) as pool:
        flat = FlatIndex(encode(vectors, pool, 1))
    for queries in (rows[:1], rows[:5]):
        flat.search(queries, 3, Effort(), None)
    graph = build_hnsw(vectors, degree=4, ef_construction=10)
    graph.walk(rows[:1], 3, 5)
    graph.search(rows[:1], 3, Effort(), allowed)
