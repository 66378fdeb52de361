"""`make bench ARGS=inserting`: durable chunks per second over REST, in batches of 500 with vectors.

Compared with Chroma's server, which gets the same rows through its own client, in alternating
rounds of a few thousand rows.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.index.report import write
from benchmarks.opening import Floats
from benchmarks.server import serve

BATCH, BATCHES, ROUNDS, DIMENSION = 500, 10, 5, 384
_CHROMA_PORT = 28100
_DEADLINE_S = 60


async def main() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((BATCH * BATCHES * ROUNDS, DIMENSION)).astype(np.float32)
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder, "nalanda")) as http,
        _chroma(folder),
    ):
        rates = _measure({"Nalanda": _of_nalanda(http), "Chroma": _of_chroma()}, rows)
    medians = {name: statistics.median(each) for name, each in rates.items()}
    ratio = medians["Nalanda"] / medians["Chroma"]
    for name, rate in medians.items():
        print(f"  {name:10} {rate:10,.0f} chunks a second", flush=True)
    print(f"  {ratio:.2f} x")
    write("inserting", {"chunks_per_second": medians, "ratio": ratio})


@contextmanager
def _chroma(folder: str) -> Iterator[None]:
    chroma = str(Path(sys.executable).with_name("chroma"))
    server = subprocess.Popen(
        [chroma, "run", "--path", f"{folder}/chroma", "--port", str(_CHROMA_PORT)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        server.terminate()
        server.wait(_DEADLINE_S)


Insert = Callable[[int, Floats], None]


def _measure(inserts: dict[str, Insert], rows: Floats) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {name: [] for name in inserts}
    for first in range(0, len(rows), BATCH * BATCHES):
        for name, insert in inserts.items():
            started = time.perf_counter()
            for start in range(first, first + BATCH * BATCHES, BATCH):
                insert(start, rows[start : start + BATCH])
            rates[name].append(BATCH * BATCHES / (time.perf_counter() - started))
    return rates


def _of_nalanda(http: httpx.Client) -> Insert:
    body = {"name": "inserted", "dimension": DIMENSION, "metric": "cosine"}
    http.post("/libraries", json=body).raise_for_status()

    def insert(first: int, rows: Floats) -> None:
        chunks = [
            {
                "id": f"c{first + i}",
                "text": f"Chunk {first + i}",
                "embedding": b64encode(row.tobytes()).decode(),
            }
            for i, row in enumerate(rows)
        ]
        made = http.post("/libraries/inserted/documents", json={"chunks": chunks})
        made.raise_for_status()

    return insert


def _of_chroma() -> Insert:
    collection = _connect().create_collection("inserted", metadata={"hnsw:space": "cosine"})

    def insert(first: int, rows: Floats) -> None:
        ids = [f"c{first + i}" for i in range(len(rows))]
        texts = [f"Chunk {first + i}" for i in range(len(rows))]
        collection.add(ids=ids, embeddings=rows, documents=texts)

    return insert


def _connect() -> Any:
    import chromadb

    deadline = time.monotonic() + _DEADLINE_S
    while True:
        try:
            return chromadb.HttpClient(port=_CHROMA_PORT)
        except ValueError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
