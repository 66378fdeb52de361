"""`make bench ARGS=restart`: from a process's start to its first response, over 100,000 × 384.

Nalanda's server, over HTTP, after a clean stop, after a kill 10,000 writes past its last
checkpoint, and without a checkpoint, from the log. Compared with Chroma and LanceDB, which open
their files inside the querying process. The files are in the page cache.
"""

import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from pathlib import Path

import httpx
import numpy as np

from benchmarks.index.datasets import MAKERS
from benchmarks.index.report import write
from benchmarks.opening import AT_ONCE, NAME, PEERS, Floats
from benchmarks.server import serve

SINCE, STARTS = 10_000, 5
_LIBRARY = f"/libraries/{NAME}"


async def main() -> None:
    dataset = MAKERS["clustered"]()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        np.save(place / "rows.npy", dataset.rows)
        measured = _nalanda(place / "nalanda", dataset.rows)
        for name in PEERS:
            measured[f"{name}, first answer"] = _peer(name, place)
        for name, seconds in measured.items():
            print(f"  {name:58} {seconds:6.2f} s", flush=True)
        write("restart", measured)


def _nalanda(data: Path, rows: Floats) -> dict[str, float]:
    with serve(data) as http:
        _fill(http, rows)
        while http.get(f"{_LIBRARY}/index").json()["state"] != "ready":
            time.sleep(0.2)
        time.sleep(6)  # after five quiet seconds segments are merged into one
        while http.get(f"{_LIBRARY}/index").json()["segments"] > 1:
            time.sleep(0.2)
    measured = _starts("after a clean stop", data, rows[0])
    with serve(data, end=signal.SIGKILL) as http:
        for start in range(0, SINCE, 10):
            _add(http, rows[start : start + 10], f"w{start}-")
    shutil.copytree(data, data.with_name("killed"))
    behind = [
        _start(shutil.copytree(data.with_name("killed"), data.with_name(f"k{i}")), rows[0])
        for i in range(3)
    ]
    name = f"10,000 chunks in {SINCE // 10:,} writes behind its checkpoint"
    measured |= _medians(name, behind)
    shutil.rmtree(data.with_name("killed") / "checkpoints")
    return measured | _medians("from the record alone", [_start(data.with_name("killed"), rows[0])])


def _starts(name: str, data: Path, query: Floats) -> dict[str, float]:
    return _medians(name, [_start(data, query) for _ in range(STARTS)])


def _medians(name: str, starts: list[tuple[float, float]]) -> dict[str, float]:
    ready, answered = (statistics.median(taken) for taken in zip(*starts, strict=True))
    return {f"Nalanda {name}, ready": ready, f"Nalanda {name}, first answer": answered}


def _start(data: Path, query: Floats) -> tuple[float, float]:
    """Return the seconds until the server is ready, and until it has answered a search."""
    body = {"embedding": b64encode(query.tobytes()).decode()}
    started = time.perf_counter()
    with serve(data) as http:
        while not http.get("/readyz").json()["ready"]:
            time.sleep(0.01)
        ready = time.perf_counter() - started
        hits = http.post(f"{_LIBRARY}/search", json=body).raise_for_status().json()["hits"]
        answered = time.perf_counter() - started
    assert hits[0]["text"].endswith(" 0")
    return ready, answered


def _peer(name: str, place: Path) -> float:
    words = [sys.executable, "-m", "benchmarks.opening"]
    where = [name, str(place / name), str(place / "rows.npy")]
    subprocess.run([*words, "fill", *where], check=True, stderr=subprocess.DEVNULL)
    taken = []
    for _ in range(STARTS):
        started = time.perf_counter()
        ended = subprocess.run([*words, "ask", *where], check=True, text=True, capture_output=True)
        taken.append(time.perf_counter() - started)
        assert ended.stdout.split()[-1] == "0"
    return statistics.median(taken)


def _fill(http: httpx.Client, rows: Floats) -> None:
    body = {"name": NAME, "dimension": rows.shape[1], "metric": "cosine"}
    http.post("/libraries", json=body).raise_for_status()
    for start in range(0, len(rows), AT_ONCE):
        _add(http, rows[start : start + AT_ONCE], "c", start)


def _add(http: httpx.Client, rows: Floats, prefix: str, first: int = 0) -> None:
    chunks = [
        {
            "id": f"{prefix}{first + i}",
            "text": f"Chunk {first + i}" if prefix == "c" else "Another 0",
            "embedding": b64encode(row.tobytes()).decode(),
        }
        for i, row in enumerate(rows)
    ]
    http.post(f"{_LIBRARY}/documents", json={"chunks": chunks}).raise_for_status()
