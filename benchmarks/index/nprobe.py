"""`make bench ARGS=nprobe`: recall of inverted lists by `nprobe` and by target, on sentences.

`ARGS="nprobe hard"` takes another data set.
"""

import statistics
from collections.abc import Sequence
from time import perf_counter

from benchmarks.index.curves import recall
from benchmarks.index.datasets import MAKERS, Dataset, K
from benchmarks.index.peers import table, vectors_of
from benchmarks.index.report import write
from core.indexing.ivf.build import build_ivf
from core.indexing.ivf.index import IvfIndex
from core.indexing.maintenance.kernel_warmup import call_every_kernel
from core.indexing.vectors.vector_index import SearchParams

THREADS, ROUNDS = 2, 5
TARGETS = (0.95, 0.98, 0.99)


async def main(*arguments: str) -> None:
    call_every_kernel()
    measured = {}
    for name in arguments or ("sentences",):
        dataset = MAKERS[name]()
        index = build_ivf(vectors_of(dataset), threads=THREADS)
        print(f"\n{dataset.description}, {index.cells:,} cells", flush=True)
        rows = {label: _measure(index, dataset, params) for label, params in _efforts(index.cells)}
        measured[name] = {"description": dataset.description, "cells": index.cells, "efforts": rows}
    write("nprobe", measured)


def _efforts(cells: int) -> Sequence[tuple[str, SearchParams]]:
    probes = [1 << i for i in range(cells.bit_length())]
    return [
        *((f"nprobe {nprobe}", SearchParams(nprobe=nprobe)) for nprobe in (*probes, cells)),
        *((f"target_recall {target}", SearchParams(target_recall=target)) for target in TARGETS),
    ]


def _measure(index: IvfIndex, dataset: Dataset, params: SearchParams) -> dict[str, float]:
    """Probe the cells even where an exact scan would be cheaper."""
    nprobe, depth = index.tuning.of(params, K)
    taken = []
    for _ in range(ROUNDS):
        started = perf_counter()
        rows = table(index.probe(dataset.queries, K, nprobe, depth), K)
        taken.append(1e6 * (perf_counter() - started) / len(dataset.queries))
    share, microseconds = recall(rows, dataset.truth), statistics.median(taken)
    label = f"target {params.target_recall}" if params.target_recall else ""
    print(
        f"  {label:12} nprobe {nprobe:6,}  recall {share:.4f}  {microseconds:8,.0f} µs", flush=True
    )
    return {"nprobe": nprobe, "recall": round(share, 4), "microseconds": round(microseconds, 1)}
