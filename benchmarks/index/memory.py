"""`make bench ARGS=memory`: total memory of a library, compared with hnswlib's index.

Each runs in its own process. The figure is the resident memory after the build minus that before:
vectors, codes, links, chunks, ids and their maps. `ARGS="memory million"` builds the million, with
times and queries per second at recall .95.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.curves import recall
from benchmarks.index.datasets import MAKERS, Dataset, Floats, K
from benchmarks.index.libraries import LIBRARY, fill, library
from benchmarks.index.peers import PEERS, Built
from benchmarks.index.report import write
from core.indexing.maintenance.kernel_warmup import call_every_kernel
from core.indexing.vectors.vector_index import SearchParams

SUBJECTS = ("Nalanda", "Nalanda, vectors in a file", "hnswlib", "faiss HNSWFlat")
TARGET = 0.95


async def main(*arguments: str) -> None:
    if arguments[:1] == ("one",):
        _one(arguments[1], arguments[2])
        return
    measured = {}
    for name in arguments or ("clustered",):
        print(f"\n{name}: resident memory ÷ float32 vectors", flush=True)
        measured[name] = {subject: _apart(subject, name) for subject in SUBJECTS}
        for subject, figures in measured[name].items():
            shown = "   ".join(f"{key} {value:10.2f}" for key, value in figures.items())
            print(f"  {subject:28} {shown}", flush=True)
    write("memory" if "million" not in measured else "million", measured)


def _apart(subject: str, name: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks", "memory", "one", subject, name]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return figures


def _one(subject: str, name: str) -> None:
    call_every_kernel()
    dataset = MAKERS[name]()
    figures = _nalanda if subject.startswith("Nalanda") else _peer
    print(json.dumps(figures(subject, dataset)))


def _nalanda(subject: str, dataset: Dataset) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        vectors_dir = Path(folder) if "file" in subject else None
        before, started = _resident(), perf_counter()
        with library(dataset.metric, dataset.rows.shape[1], vectors_dir=vectors_dir) as filled:
            fill(filled, dataset)
            took_s, taken = perf_counter() - started, _resident() - before
            view = filled.catalog.library(LIBRARY)
            arrays = view.memory_bytes / dataset.rows.nbytes
            params = SearchParams(target_recall=TARGET)

            def search(queries: Floats, _: object, k: int = K) -> NDArray[np.int64]:
                rankings = view.search(queries, k, params=params)
                # Rows are in order and none is deleted, so a row id is the row's number.
                return np.stack([ranking.row_ids for ranking in rankings])

            built = Built(search, [TARGET])
            return {"arrays": arrays, **_figures(dataset, taken, took_s, built)}


def _peer(subject: str, dataset: Dataset) -> dict[str, float]:
    peer = next(peer for peer in PEERS if peer.name == subject)
    before, started = _resident(), perf_counter()
    built = peer.build(dataset, 2)
    return _figures(dataset, _resident() - before, perf_counter() - started, built)


def _figures(dataset: Dataset, taken: int, took_s: float, built: Built) -> dict[str, float]:
    """Measure at the least effort that reaches the target."""
    for effort in built.efforts:
        started = perf_counter()
        rows = built.search(dataset.queries, effort)
        qps = len(dataset.queries) / (perf_counter() - started)
        share = recall(rows, dataset.truth)
        if share >= TARGET:
            break
    return {
        "memory": taken / dataset.rows.nbytes,
        "build_s": took_s,
        "recall": share,
        "qps": qps,
    }


def _resident() -> int:
    """Return the bytes of anonymous resident memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status has no RssAnon: memory is measured on Linux.")
