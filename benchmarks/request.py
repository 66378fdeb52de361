"""`make bench ARGS=request`: where the microseconds of a search over REST go.

The parts of the work are measured in this process, one within the other, and the ways of a request
by a server's process, both in CPU time. A request is answered by the connection itself, by the
middleware (each request has another header), and by the route (each has a query). What a way takes
beyond its parts is HTTP, the event loop and the system's calls, and memory that is no longer in the
caches. Another data set can be named.
"""

import statistics
import tempfile
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import thread_time

import httpx
import numpy as np
import orjson

from api.http.responses import dumps
from api.searches.body import parse_vector_search
from api.searches.ordinary import OrdinarySearch
from api.wire.search import search_response
from benchmarks.connections import Load, Server, find_server, send
from benchmarks.index.datasets import MAKERS, Dataset, K
from benchmarks.index.pictures import draw_parts
from benchmarks.index.report import FOLDER, write
from benchmarks.search import LIBRARY, fill, prepare
from benchmarks.server import serve
from core.bootstrap import Core, open_core
from core.indexing.vectors.vector_index import SearchParams
from core.settings import Settings

QUERIES, ROUNDS, WARM_S, MEASURED_S = 500, 9, 1.0, 2.0
TARGET_RECALL = 0.99
OPTIONS = {"k": K, "parameters": {"target_recall": TARGET_RECALL}}
DIRECT, MIDDLEWARE, ROUTE = "by the connection", "by the middleware", "by the route"


async def main(name: str = "clustered") -> None:
    dataset = MAKERS[name]()
    with tempfile.TemporaryDirectory() as folder:
        with serve(Path(folder)) as http:
            fill(http, dataset.rows)
            ways = await _measure_ways(http, dataset)
        with open_core(Settings(data_dir=Path(folder), provider="local")) as core:
            core.warmup.wait(600)
            parts = _measure_parts(core, dataset.queries[:QUERIES])
    print(f"{dataset.description}, k = {K}, target_recall {TARGET_RECALL}, µs")
    for name, microseconds in [*parts.items(), *ways.items()]:
        print(f"  {name:34} {microseconds:7.1f}")
    write("request", {"parts_us": parts, "cpu_us": ways})
    draw_parts("A search over REST, µs of CPU time", _bars(parts, ways), FOLDER / "request.svg")


async def _measure_ways(http: httpx.Client, dataset: Dataset) -> Mapping[str, float]:
    server = Server(http.base_url.host, http.base_url.port or 80, [find_server()])
    direct = prepare("list", server.host, dataset.queries, OPTIONS)
    ways = {
        DIRECT: direct,
        MIDDLEWARE: [
            request.replace(b"Content-Type", b"X-Request: %d\r\nContent-Type" % n, 1)
            for n, request in enumerate(direct)
        ],
        ROUTE: [request.replace(b"/search ", b"/search?by=route ", 1) for request in direct],
        "GET /livez": [f"GET /livez HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()] * 64,
    }
    loads = {name: Load() for name in ways}
    for requests in ways.values():
        await send(server, requests, 1, WARM_S, Load())
    for _ in range(ROUNDS):
        for name, requests in ways.items():
            await send(server, requests, 1, MEASURED_S, loads[name])
    return {name: round(load.cpu_us, 1) for name, load in loads.items()}


def _measure_parts(core: Core, queries: np.ndarray) -> Mapping[str, float]:
    """Return the µs of each part, without those that it calls."""
    view = core.catalog.library(LIBRARY)
    params = SearchParams(target_recall=TARGET_RECALL)
    indexes = [segment.index for segment in view.segments if segment.index is not None]
    lists = [orjson.dumps({"embedding": query.tolist(), **OPTIONS}) for query in queries]
    packed = [
        orjson.dumps({"embedding": b64encode(query.tobytes()).decode(), **OPTIONS})
        for query in queries
    ]
    requests = [parse_vector_search(LIBRARY, body, compiled=True) for body in lists]
    searches = [request for request in requests if request is not None]
    results = [core.search.search(search) for search in searches]
    ordinary = OrdinarySearch(core, LIBRARY, False, 0, None)
    calls: Mapping[str, Callable[[int], object]] = {
        "index": lambda i: [x.search(queries[i : i + 1], K, params, None) for x in indexes],
        "view": lambda i: view.search(queries[i : i + 1], K, params=params),
        "service": lambda i: core.search.search(searches[i]),
        "list": lambda i: parse_vector_search(LIBRARY, lists[i], compiled=True),
        "base64": lambda i: parse_vector_search(LIBRARY, packed[i], compiled=True),
        "response": lambda i: dumps(search_response(results[i], ("text", "metadata"))),
        "answer": lambda i: ordinary.answer(lists[i]),
    }
    us = {name: _us_a_call(call, len(searches)) for name, call in calls.items()}
    apart = {
        "index: the walk of the graph": us["index"],
        "view": us["view"] - us["index"],
        "service": us["service"] - us["view"],
        "body, a list of numbers": us["list"],
        "body, base64": us["base64"],
        "response": us["response"],
        "what is between, and colder caches": us["answer"]
        - us["service"]
        - us["list"]
        - us["response"],
    }
    return {name: round(microseconds, 1) for name, microseconds in apart.items()}


def _us_a_call(call: Callable[[int], object], count: int) -> float:
    taken = []
    for _ in range(ROUNDS):
        started = thread_time()
        for i in range(count):
            call(i)
        taken.append(1e6 * (thread_time() - started) / count)
    return statistics.median(taken)


def _bars(
    parts: Mapping[str, float], ways: Mapping[str, float]
) -> Mapping[str, Sequence[tuple[str, float]]]:
    """Return the parts of each way; the last is what is not in the others."""
    common = [(name, us) for name, us in parts.items() if name != "body, base64"]
    bars = {}
    for way in (DIRECT, MIDDLEWARE, ROUTE):
        rest = ways[way] - sum(us for _, us in common)
        bars[way] = [*common, ("HTTP, event loop, framework", max(0.0, rest))]
    return bars
