"""A search over HTTP, its embedding as a list and as base64, compared with `GET /livez`.

All three use the same API process over one persistent connection, in turn.
"""

import statistics
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from benchmarks.processes import run_measurement
from benchmarks.timing import time_ms
from cli.processes.stack import Stack
from nalanda import AsyncNalanda, ChunkOptions

CHUNKS, PER_DOCUMENT, DIMENSION, HITS = 10_000, 1_000, 256, 10
WARM, ROUNDS, PER_ROUND = 50, 20, 25
LIBRARY = "random"

Vectors = NDArray[np.float32]


async def main() -> None:
    await run_measurement(_measure, only=["api"])


async def _measure(stack: Stack) -> None:
    rng = np.random.default_rng(0)
    await _fill(stack.settings.api_url, rng.standard_normal((CHUNKS, DIMENSION), np.float32))
    query = rng.standard_normal(DIMENSION, np.float32)
    packed = b64encode(query.astype("<f4").tobytes()).decode()
    async with httpx.AsyncClient(base_url=stack.settings.api_url, trust_env=False) as http:
        peers: dict[str, Callable[[], Awaitable[httpx.Response]]] = {
            "search, embedding as a list": lambda: _search(http, query.tolist()),
            "search, embedding as base64": lambda: _search(http, packed),
            "GET /livez": lambda: http.get("/livez"),
        }
        taken: dict[str, list[float]] = {name: [] for name in peers}
        for _ in range(WARM):
            for ask in peers.values():
                (await ask()).raise_for_status()
        for _ in range(ROUNDS):
            for name, ask in peers.items():
                taken[name] += [(await time_ms(ask()))[0] for _ in range(PER_ROUND)]
    _print(taken)


async def _fill(api_url: str, vectors: Vectors) -> None:
    async with AsyncNalanda(api_url) as client:
        await client.libraries.create(LIBRARY, dimension=DIMENSION)
        for start in range(0, CHUNKS, PER_DOCUMENT):
            rows = vectors[start : start + PER_DOCUMENT]
            chunks = [ChunkOptions(text=f"Chunk {n}", embedding=r) for n, r in enumerate(rows)]
            await client.documents.create(LIBRARY, chunks=chunks)


async def _search(http: httpx.AsyncClient, embedding: Any) -> httpx.Response:
    body = {"embedding": embedding, "k": HITS}
    return await http.post(f"/libraries/{LIBRARY}/search", json=body)


def _print(taken: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(ms) for name, ms in taken.items()}
    bare = medians["GET /livez"]
    print(
        f"{HITS} hits of {CHUNKS:,} chunks with {DIMENSION} numbers each, p50 as a client sees it:"
    )
    for name, median in medians.items():
        print(f"  {name:28} {median:7.2f} ms   {median / bare:5.2f} x GET /livez")
