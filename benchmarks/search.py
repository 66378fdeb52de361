"""`make bench ARGS=search`: searches over REST, and the CPU time of the server for each.

A JSON body has its embedding as a list of numbers or as base64; a binary one has the numbers
themselves. The ways take turns on 1, 4 and 16
connections; `GET /livez` is what a request costs that does nothing. CPU time is the process's own
account, which depends little on what else runs. Name a way to measure it alone.
"""

import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx
import numpy as np
import orjson

from benchmarks.connections import Load, Server, find_server, request_of, send
from benchmarks.index.datasets import MAKERS, Dataset, Floats, K
from benchmarks.index.report import write
from benchmarks.server import serve
from nalanda import ChunkOptions, Nalanda

CONNECTIONS = (1, 4, 16)
WARM_S, MEASURED_S, ROUNDS = 1.0, 2.0, 5
RECALL, TARGETS = 0.99, (0.99, 0.995, 0.999)
LIBRARY, PER_DOCUMENT, TEXT_WORDS = "searched", 1_000, 60
_BUILT_S = 600.0

Body = Callable[[np.ndarray, Mapping[str, object]], bytes]


def _list_body(query: np.ndarray, options: Mapping[str, object]) -> bytes:
    return orjson.dumps({"embedding": query.tolist(), **options})


def _base64_body(query: np.ndarray, options: Mapping[str, object]) -> bytes:
    return orjson.dumps({"embedding": b64encode(query.tobytes()).decode(), **options})


def _binary_body(query: np.ndarray, options: Mapping[str, object]) -> bytes:
    return orjson.dumps(options) + b"\n" + query.astype("<f4").tobytes()


WAYS: Mapping[str, Body] = {"list": _list_body, "base64": _base64_body, "binary": _binary_body}
OCTETS = "application/octet-stream"


async def main(*names: str) -> None:
    dataset = MAKERS["clustered"]()
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as http:
        fill(http, dataset.rows)
        target, recall = _reach(http, dataset)
        options = {"k": K, "parameters": {"target_recall": target}}
        print(f"{dataset.description}, k = {K}, target_recall {target}: recall {recall:.4f}")
        server = Server(http.base_url.host, http.base_url.port or 80, [find_server()])
        ways = {
            name: prepare(name, server.host, dataset.queries, options)
            for name in WAYS
            if name in (names or WAYS)
        }
        ways["GET /livez"] = [f"GET /livez HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()] * 64
        measured = {
            f"{name}, {count} connections": _summary(load)
            for count in CONNECTIONS
            for name, load in (await _measure(server, ways, count)).items()
        }
    if not names:
        write("search", {"target_recall": target, "recall": recall, **measured})


def prepare(way: str, host: str, queries: Floats, options: Mapping[str, object]) -> Sequence[bytes]:
    """Return the bytes of a request for each query."""
    path = f"/libraries/{LIBRARY}/search"
    media_type = OCTETS if way == "binary" else "application/json"
    return [request_of(host, path, WAYS[way](query, options), media_type) for query in queries]


def fill(http: httpx.Client, rows: Floats) -> None:
    """Create the library with texts and metadata, and wait until its index is built."""
    rng = np.random.default_rng(0)
    words = [f"word{n}" for n in range(1_000)]
    with Nalanda(str(http.base_url), timeout_s=_BUILT_S) as client:
        client.libraries.create(LIBRARY, dimension=rows.shape[1])
        for start in range(0, len(rows), PER_DOCUMENT):
            chosen = rng.integers(len(words), size=(PER_DOCUMENT, TEXT_WORDS)).tolist()
            chunks = [
                ChunkOptions(
                    id=str(start + n),
                    text=" ".join(words[word] for word in chosen[n]),
                    embedding=row,
                    metadata={"year": 1900 + n % 100, "source": f"file{start // PER_DOCUMENT}.txt"},
                )
                for n, row in enumerate(rows[start : start + PER_DOCUMENT])
            ]
            client.documents.create(LIBRARY, chunks=chunks)
    deadline = time.monotonic() + _BUILT_S
    while http.get(f"/libraries/{LIBRARY}/index").json()["state"] != "ready":
        if time.monotonic() > deadline:
            raise TimeoutError("The index is not built.")
        time.sleep(0.2)


def _reach(http: httpx.Client, dataset: Dataset) -> tuple[float, float]:
    """Return the first target whose measured recall is enough, and that recall."""
    recall = 0.0
    for target in TARGETS:
        options = {"k": K, "include": [], "parameters": {"target_recall": target}}
        found = 0
        for query, truth in zip(dataset.queries, dataset.truth.tolist(), strict=True):
            body = _base64_body(query, options)
            headers = {"Content-Type": "application/json"}
            answer = http.post(f"/libraries/{LIBRARY}/search", content=body, headers=headers)
            found += len({int(hit["chunk_id"]) for hit in answer.json()["hits"]} & set(truth))
        recall = found / dataset.truth.size
        if recall >= RECALL:
            break
    return target, recall


async def _measure(
    server: Server, ways: Mapping[str, Sequence[bytes]], connections: int
) -> Mapping[str, Load]:
    loads = {name: Load() for name in ways}
    for requests in ways.values():
        await send(server, requests, connections, WARM_S, Load())
    for _ in range(ROUNDS):
        for name, requests in ways.items():
            await send(server, requests, connections, MEASURED_S, loads[name])
    for name, load in loads.items():
        print(
            f"  {connections:2} connections   {name:10} {load.cpu_us:6.0f} µs of CPU a request"
            f"   {load.rate:7,.0f} requests a second   p50 {load.quantile_ms(0.5):6.2f} ms"
            f"   p99 {load.quantile_ms(0.99):6.2f} ms",
            flush=True,
        )
    return loads


def _summary(load: Load) -> Mapping[str, float]:
    return {
        "cpu_us": round(load.cpu_us, 1),
        "requests_a_second": round(load.rate, 1),
        "p50_ms": round(load.quantile_ms(0.5), 3),
        "p99_ms": round(load.quantile_ms(0.99), 3),
    }
