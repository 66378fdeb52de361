"""`make bench ARGS=starting`: from the start of the API's process to its first search response.

With an empty kernel cache, and with the cache of the previous start.
"""

import tempfile
import time
from pathlib import Path

import httpx
import numpy as np

from benchmarks.index.report import write
from benchmarks.server import serve

CHUNKS, DIMENSION, STARTS = 2_000, 256, 5


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data, cache = Path(folder, "data"), Path(folder, "cache")
        with serve(data, environment={"XDG_CACHE_HOME": str(cache)}) as http:
            _fill(http)
        measured = {}
        for state in ("empty cache", *[f"filled cache, start {i + 1}" for i in range(STARTS)]):
            if state == "empty cache":
                cache = Path(folder, "other cache")
            measured[state] = _first_search(data, cache)
            shown = "   ".join(f"{name} {value}" for name, value in measured[state].items())
            print(f"  {state:24} {shown}", flush=True)
        write("starting", measured)


def _first_search(data: Path, cache: Path) -> dict[str, object]:
    started = time.perf_counter()
    query = np.random.default_rng(1).standard_normal(DIMENSION).tolist()
    with serve(data, environment={"XDG_CACHE_HOME": str(cache)}) as http:
        answer = http.post("/libraries/started/search", json={"embedding": query})
        first_s = time.perf_counter() - started
        assert len(answer.raise_for_status().json()["hits"]) == 10
        kernels = http.get("/readyz").json()["checks"]["kernels"]
        while http.get("/readyz").json()["checks"]["kernels"] == "compiling":
            time.sleep(0.05)
        ready_s = time.perf_counter() - started
    return {
        "first search answered after (s)": round(first_s, 2),
        "kernels then": kernels,
        "kernels ready after (s)": round(ready_s, 2),
    }


def _fill(http: httpx.Client) -> None:
    rows = np.random.default_rng(0).standard_normal((CHUNKS, DIMENSION)).round(4)
    http.post("/libraries", json={"name": "started", "dimension": DIMENSION}).raise_for_status()
    for start in range(0, CHUNKS, 1_000):
        chunks = [
            {"text": f"Chunk {start + i}", "embedding": row.tolist()}
            for i, row in enumerate(rows[start : start + 1_000])
        ]
        made = http.post("/libraries/started/documents", json={"chunks": chunks}, timeout=60)
        made.raise_for_status()
