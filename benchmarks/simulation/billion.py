"""A billion chunks: the machines, their memory, the fan-out, the times, and the loss of a machine.

Figures of one machine are those of the measurements in docs/benchmarks. What is assumed is named in
`Assumed`.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from random import Random

from benchmarks.index.report import FOLDER
from benchmarks.simulation.fleet import (
    Fleet,
    Work,
    bytes_by_machine,
    machines_for,
    serve_libraries,
    serve_shards,
)
from core.cluster.placement import Candidate, place

CHUNKS, DIMENSION = 10**9, 384
_CHUNKS_OF_MEASUREMENT = 100_000
_CORES_OF_MEASUREMENT = 2


@dataclass(frozen=True, slots=True)
class Assumed:
    """The figures that are not measured here.

    `fill`: the part of a machine's memory that libraries may take. `spread`: the σ of the logarithm
    of the libraries' sizes. `utilization`: the part of its CPU time that a machine is busy with.
    `build_share`: the part of its cores that a machine builds with while it serves.
    `record_bytes_s`: what PostgreSQL can send in a second to all machines together.
    """

    cores: int = 16
    memory_bytes: float = 256 * 2**30
    fill: float = 0.7
    text_bytes: int = 500
    libraries: int = 10_000
    spread: float = 1.0
    replication_factor: int = 2
    utilization: float = 0.5
    build_share: float = 0.5
    record_bytes_s: float = 1e9


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the result: what holds the chunks, and what a client sees."""

    name: str
    machines: int
    fan_out: float
    requests_s: float
    busiest: float
    p50_ms: float
    p99_ms: float


def extrapolate(
    work: Work, record_rows_s: float, assumed: Assumed | None = None
) -> Mapping[str, object]:
    """Return the arithmetic, and the simulated lines; `work.search_s` is that of 100,000 chunks.

    `record_rows_s`: the rows a second that a machine reads from PostgreSQL.
    """
    assumed = assumed or Assumed()
    measured = json.loads((FOLDER / "memory.json").read_text())["measured"]["clustered"]
    per_chunk = {
        "in memory": _bytes_of_chunk(measured["Nalanda"]["memory"], assumed),
        "vectors mapped": _bytes_of_chunk(
            measured["Nalanda, vectors in a file"]["memory"], assumed
        ),
    }
    machines = {
        name: machines_for(
            CHUNKS * each * assumed.replication_factor, assumed.memory_bytes, assumed.fill
        )
        for name, each in per_chunk.items()
    }
    build_rate = _CHUNKS_OF_MEASUREMENT / measured["Nalanda"]["build_s"] / _CORES_OF_MEASUREMENT
    lines = [
        *_libraries(work, assumed, machines["in memory"]),
        *_shards(work, assumed, machines["vectors mapped"]),
    ]
    return {
        "assumed": asdict(assumed),
        "bytes_per_chunk": per_chunk,
        "machines": machines,
        "build_chunks_per_core_s": build_rate,
        "rebuild_s": {
            name: _rebuild_s(count, build_rate, record_rows_s, assumed)
            for name, count in machines.items()
        },
        "balance": _balance(assumed, machines["in memory"]),
        "lines": [asdict(line) for line in lines],
    }


def _bytes_of_chunk(ratio: float, assumed: Assumed) -> float:
    """Return the bytes of a chunk; `ratio`: measured, of a process to its float32 vectors."""
    return ratio * DIMENSION * 4 + assumed.text_bytes


def _rebuild_s(
    machines: int, build_rate: float, record_rows_s: float, assumed: Assumed
) -> Mapping[str, float]:
    """Return the time until the others have what a machine had, each its share of it, by parts.

    Reading and building overlap, so the longest part decides.
    """
    lost = CHUNKS * assumed.replication_factor / machines
    each = lost / (machines - 1)
    return {
        "read by each": each / record_rows_s,
        "sent by PostgreSQL": lost * (DIMENSION * 4 + assumed.text_bytes) / assumed.record_bytes_s,
        "built by each": each / (build_rate * assumed.cores * assumed.build_share),
    }


def _balance(assumed: Assumed, machines: int) -> float:
    """Return the bytes of the fullest machine over the mean."""
    chance = Random(1)
    sizes = [chance.lognormvariate(0, assumed.spread) for _ in range(assumed.libraries)]
    placed = bytes_by_machine(sizes, _holders(machines, assumed)).values()
    return max(placed) / (sum(sizes) * assumed.replication_factor / machines)


def _holders(machines: int, assumed: Assumed) -> list[list[int]]:
    nodes = [Candidate(str(number), 1) for number in range(machines)]
    factor = assumed.replication_factor
    ids = (f"library-{number}" for number in range(assumed.libraries))
    return [[int(node_id) for node_id in place(id_, nodes, factor)] for id_ in ids]


def _libraries(work: Work, assumed: Assumed, machines: int) -> Iterator[Line]:
    """Simulate libraries of 100,000 chunks each, whole and after the loss of a machine."""
    holders = _holders(machines, assumed)
    passed_on = 1 - assumed.replication_factor / machines
    each_s = work.http_s + work.search_s + passed_on * work.forward_s
    rate = assumed.utilization * machines * assumed.cores / each_s
    left = [[number for number in having if number != machines - 1] for having in holders]
    for name, count, having in (
        ("libraries", machines, holders),
        ("libraries, a machine lost", machines - 1, left),
    ):
        fleet = Fleet(count, assumed.cores, Random(2))
        served = serve_libraries(fleet, work, having, rate)
        figures = served.requests_s, fleet.busiest(), served.p50_ms, served.p99_ms
        yield Line(name, count, 1, *figures)


def _shards(work: Work, assumed: Assumed, machines: int) -> Iterator[Line]:
    """Simulate one library in as many shards as the machines have room for, and in more."""
    fewest = math.ceil(machines / assumed.replication_factor)
    for shards in (fewest, 2 * fewest, 4 * fewest):
        growth = math.log(CHUNKS / shards) / math.log(_CHUNKS_OF_MEASUREMENT)
        of_shard = replace(work, search_s=work.search_s * growth)
        each_s = of_shard.http_s + shards * (
            of_shard.forward_s + of_shard.http_s + of_shard.search_s
        )
        rate = assumed.utilization * machines * assumed.cores / each_s
        fleet = Fleet(machines, assumed.cores, Random(3))
        served = serve_shards(fleet, of_shard, shards, rate)
        figures = served.requests_s, fleet.busiest(), served.p50_ms, served.p99_ms
        yield Line(f"one library in {shards} shards", machines, shards, *figures)


def lines_of(result: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    lines = result["lines"]
    assert isinstance(lines, list)
    return lines
