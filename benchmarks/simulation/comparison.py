"""`make bench ARGS=simulation`: what 1, 2 and 3 nodes serve, predicted and measured, and then 10⁹.

The costs of a request are measured on one node with few connections. From them the simulation
predicts how many requests a second 1, 2 and 3 nodes serve, and how long each takes, on the cores
that they share with their client and with PostgreSQL.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from benchmarks.index.report import FOLDER, write
from benchmarks.simulation.billion import extrapolate, lines_of
from benchmarks.simulation.fleet import Work
from benchmarks.simulation.measuring import (
    CHUNKS,
    CONNECTIONS,
    DIMENSION,
    HITS,
    Measured,
    Window,
    measure,
)
from benchmarks.simulation.shared_cores import Costs, Outcome, predict

_FIGURES = ("requests_s", "p50_ms", "p99_ms")


async def main() -> None:
    measured = await measure()
    costs = measured.costs
    print(f"{HITS} hits of {CHUNKS:,} × {DIMENSION}, {CONNECTIONS} connections")
    print(
        f"  a request: {costs.server_s * 1e6:.0f} µs of a node, of which"
        f" {measured.search_s * 1e6:.0f} µs search; {costs.client_s * 1e6:.0f} µs of the client;"
        f" {measured.forward_s * 1e6:.0f} µs to pass it on"
    )
    compared = {
        str(nodes): _compare(costs, nodes, window) for nodes, window in measured.served.items()
    }
    result = extrapolate(_work(measured), measured.record_rows_s)
    for line in lines_of(result):
        print("  " + "   ".join(f"{name} {_shown(value)}" for name, value in line.items()))
    write("simulation", {"costs": _shown_costs(measured), "nodes": compared, "billion": result})


def _compare(costs: Costs, nodes: int, window: Window) -> Mapping[str, object]:
    """Print and return the prediction for some nodes, and what was measured."""
    predicted = predict(costs, nodes=nodes, connections=CONNECTIONS, other_cores=window.other_cores)
    print(f"  {nodes} nodes, others used {window.other_cores:.2f} cores", flush=True)
    for name, expected, seen in _pairs(predicted, window.outcome):
        print(
            f"    {name:10} predicted {expected:9,.1f}   measured {seen:9,.1f}"
            f"   {expected / seen - 1:+.0%}"
        )
    return {
        "predicted": asdict(predicted),
        "measured": asdict(window.outcome),
        "other_cores": window.other_cores,
    }


def _pairs(predicted: Outcome, measured: Outcome) -> Iterator[tuple[str, float, float]]:
    for name in _FIGURES:
        yield name, getattr(predicted, name), getattr(measured, name)


def _work(measured: Measured) -> Work:
    """Return the work of a request to 100,000 chunks, whose search `serving` has measured."""
    serving = json.loads((FOLDER / "serving.json").read_text())["measured"]["hard @ 0.95"]
    costs = measured.costs
    return Work(
        http_s=max(0.0, costs.server_s - measured.search_s),
        search_s=serving["us"]["service"] / 1e6,
        forward_s=measured.forward_s,
        shape=costs.shape,
    )


def _shown_costs(measured: Measured) -> Mapping[str, object]:
    costs = asdict(measured.costs)
    del costs["shape"]
    others = {name: getattr(measured, name) for name in ("search_s", "forward_s", "record_rows_s")}
    return {**costs, **others}


def _shown(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
