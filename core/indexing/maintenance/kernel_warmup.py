"""Compiles all kernels at the start, or loads them from the cache, before searches need them.

A kernel is compiled at its first call, which takes seconds for all of them, and importing numba
takes one second more. So a thread does both at the start; numpy answers earlier searches.
"""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import perf_counter
from typing import Literal, TypeAlias

import numpy as np

from core.background_thread import BackgroundThread
from core.domain.library import Metric
from core.indexing.segment.delta_search import DeltaSearch
from core.indexing.vectors.exact import Vectors

KernelState: TypeAlias = Literal["compiling", "ok", "failed"]

_log = logging.getLogger(__name__)

_ROWS, _DIMENSION = 80, 8
_CLOSE_S = 2.0


class Warmup:
    """The compilation of all kernels in a thread; if it fails, numpy stays in use.

    `delta`: scans by kernels as soon as those of a scan are compiled.
    """

    def __init__(self, delta: DeltaSearch) -> None:
        self._delta = delta
        self._state: KernelState = "compiling"
        self._over = threading.Event()
        self._thread = BackgroundThread(
            "compile",
            self._compile,
            failure="The kernels can't be compiled: searches are slow, graphs not built.",
            retry_s=None,
        )

    @property
    def state(self) -> KernelState:
        return self._state

    def start(self) -> None:
        self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Wait until the compilation has ended, and return whether it has."""
        return self._over.wait(timeout_s)

    def close(self) -> None:
        """Stop after the kernel that is being compiled.

        A process that ended during a compilation would print the error of a pool that is shut down.
        """
        self._thread.close(_CLOSE_S)

    def _compile(self) -> None:
        started = perf_counter()
        try:
            for _ in _call_each_kernel(self._delta):
                if self._thread.is_closed:
                    return
            self._state = "ok"
            _log.info("The kernels were ready after %.1f s.", perf_counter() - started)
        except BaseException:
            self._state = "failed"
            raise
        finally:
            self._over.set()


def call_every_kernel() -> None:
    """Call each kernel once, in the order in which searches need them."""
    for _ in _call_each_kernel(DeltaSearch()):
        pass


def _call_each_kernel(delta: DeltaSearch) -> Iterator[None]:
    """Call each kernel once, and yield between some of them."""
    from core.indexing.hnsw.build import build_hnsw
    from core.indexing.ivf.build import build_ivf
    from core.indexing.vectors.embedding_text import base64_in, numbers_in
    from core.indexing.vectors.flat import FlatIndex
    from core.indexing.vectors.quantized import encode, unquantized
    from core.indexing.vectors.vector_index import SearchParams

    yield
    rows = np.random.default_rng(0).standard_normal((_ROWS, _DIMENSION), np.float32)
    vectors = Vectors(Metric.L2, rows, np.linalg.norm(rows.astype(np.float64), axis=1))
    FlatIndex(unquantized(vectors)).search(rows[:1], 3, SearchParams(), None)
    delta.use_kernels()
    yield
    with ThreadPoolExecutor(1) as pool:
        flat = FlatIndex(encode(vectors, pool, 1))
    for queries in (rows[:1], rows[:5]):
        flat.search(queries, 3, SearchParams(), None)
        yield
    inverted = build_ivf(vectors)
    for queries in (rows[:1], rows[:5]):
        yield
        inverted.probe(queries, 3, 2, 8)
    yield
    build_hnsw(replace(vectors, metric=Metric.DOT), degree=4, ef_construction=10)
    yield
    graph = build_hnsw(vectors, degree=4, ef_construction=10)
    yield
    graph.walk(rows[:1], 3, 5)
    graph.search(rows[:1], 3, SearchParams(), np.arange(_ROWS) % 2 == 0)
    yield
    numbers_in(b"1.5", 0, 3)
    base64_in(b"AADAPw==", 0, 8)
