"""Compiles all kernels at the start, or loads them from the cache, before searches need them.

A kernel is compiled at its first call, which takes seconds for all of them, and importing numba
takes one second more. So a thread does both at the start; numpy answers earlier searches.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import perf_counter
from typing import Literal, TypeAlias

import numpy as np

from core.domain.library import Metric
from core.indexing.vectors.exact import Vectors

KernelState: TypeAlias = Literal["compiling", "ok", "failed"]

_log = logging.getLogger(__name__)

_ROWS, _DIMENSION = 80, 8


class Warmup:
    """The compilation of all kernels in a thread; if it fails, numpy stays in use."""

    def __init__(self) -> None:
        self._state: KernelState = "compiling"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="compile", daemon=True)

    @property
    def state(self) -> KernelState:
        return self._state

    def start(self) -> None:
        self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Wait until the compilation has ended, and return whether it has."""
        return self._over.wait(timeout_s)

    def _run(self) -> None:
        started = perf_counter()
        try:
            call_every_kernel()
        except Exception:  # noqa: BLE001  # numpy can answer without kernels
            _log.exception("The kernels can't be compiled: searches are slow, graphs not built.")
            self._state = "failed"
        else:
            _log.info("The kernels were ready after %.1f s.", perf_counter() - started)
            self._state = "ok"
        self._over.set()


def call_every_kernel() -> None:
    """Call each kernel once, in the order in which searches need them."""
    from core.indexing.hnsw.build import build_hnsw
    from core.indexing.ivf.build import build_ivf
    from core.indexing.segment.delta_search import use_kernels
    from core.indexing.vectors.flat import FlatIndex
    from core.indexing.vectors.quantized import encode, unquantized
    from core.indexing.vectors.vector_index import SearchParams

    rows = np.random.default_rng(0).standard_normal((_ROWS, _DIMENSION), np.float32)
    vectors = Vectors(Metric.L2, rows, np.linalg.norm(rows.astype(np.float64), axis=1))
    FlatIndex(unquantized(vectors)).search(rows[:1], 3, SearchParams(), None)
    use_kernels()
    with ThreadPoolExecutor(1) as pool:
        flat = FlatIndex(encode(vectors, pool, 1))
    for queries in (rows[:1], rows[:5]):
        flat.search(queries, 3, SearchParams(), None)
    inverted = build_ivf(vectors)
    for queries in (rows[:1], rows[:5]):
        inverted.probe(queries, 3, 2, 8)
    build_hnsw(replace(vectors, metric=Metric.DOT), degree=4, ef_construction=10)
    graph = build_hnsw(vectors, degree=4, ef_construction=10)
    graph.walk(rows[:1], 3, 5)
    graph.search(rows[:1], 3, SearchParams(), np.arange(_ROWS) % 2 == 0)
