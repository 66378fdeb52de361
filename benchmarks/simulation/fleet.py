"""The prediction for many machines: libraries that are placed on them, or one library in shards.

Requests come at random times, to any node. A node that has the library searches; another node
passes the request on to one that has it. A library in shards is searched by one node for each
shard, and the slowest of them decides.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.simulation.engine import Clock, Machine, Process
from benchmarks.simulation.shared_cores import Outcome

REQUESTS, SHARDED_REQUESTS, WARM = 40_000, 4_000, 0.1
"""The simulated requests, and the share of them that comes before times are noted."""


@dataclass(frozen=True, slots=True)
class Work:
    """The CPU time of the parts of a request.

    `http_s`: parsing it and writing its response. `search_s`: the search of one library or shard.
    `forward_s`: passing it on to another node, and its response back. `shape`: times of single
    requests over their mean.
    """

    http_s: float
    search_s: float
    forward_s: float
    shape: Sequence[float]


class Fleet:
    """Machines that each run one process a core."""

    def __init__(self, machines: int, cores: int, chance: Random) -> None:
        self.clock = Clock()
        self.chance = chance
        self._used_s = [0.0] * machines
        self._cores = cores
        self._processes = [
            [Process(machine) for _ in range(cores)]
            for machine in (Machine(self.clock, [1.0] * cores) for _ in range(machines))
        ]

    @property
    def machines(self) -> int:
        return len(self._processes)

    def submit(self, machine: int, work_s: float, done: Callable[[], None]) -> None:
        """Let the less loaded of two random processes do some work."""
        self._used_s[machine] += work_s
        first, second = (self.chance.choice(self._processes[machine]) for _ in range(2))
        min(first, second, key=lambda process: process.load).submit(work_s, done)

    def busiest(self) -> float:
        """Return the part of its cores that the busiest machine has used."""
        return max(self._used_s) / self._cores / self.clock.now_s


def serve_libraries(
    fleet: Fleet, work: Work, holders: Sequence[Sequence[int]], rate: float
) -> Outcome:
    """Search libraries that are equally popular; `holders`: the machines that have each of them."""
    chance, machines = fleet.chance, fleet.machines

    def serve(done: Callable[[], None]) -> None:
        entry, having = chance.randrange(machines), chance.choice(holders)
        work_s = (work.http_s + work.search_s) * chance.choice(work.shape)
        if entry in having:
            fleet.submit(entry, work_s, done)
        else:
            there = chance.choice(having)
            fleet.submit(entry, work.forward_s, lambda: fleet.submit(there, work_s, done))

    return _offer(fleet, rate, serve, REQUESTS)


def serve_shards(fleet: Fleet, work: Work, shards: int, rate: float) -> Outcome:
    """Search one library in shards, the copies of which are on all machines in equal numbers."""
    chance, machines = fleet.chance, fleet.machines

    def serve(done: Callable[[], None]) -> None:
        missing = shards

        def gather() -> None:
            nonlocal missing
            missing -= 1
            if not missing:
                done()

        def scatter() -> None:
            for _ in range(shards):
                work_s = (work.http_s + work.search_s) * chance.choice(work.shape)
                fleet.submit(chance.randrange(machines), work_s, gather)

        entry_s = work.http_s + shards * work.forward_s
        fleet.submit(chance.randrange(machines), entry_s, scatter)

    return _offer(fleet, rate, serve, SHARDED_REQUESTS)


def _offer(
    fleet: Fleet, rate: float, serve: Callable[[Callable[[], None]], None], requests: int
) -> Outcome:
    """Let requests come at random times at a mean rate, and note how long each took."""
    clock, times_s = fleet.clock, list[float]()
    began_s = WARM * requests / rate

    def come() -> None:
        came_s = clock.now_s

        def note() -> None:
            if came_s >= began_s:
                times_s.append(clock.now_s - came_s)

        serve(note)
        clock.call_after(fleet.chance.expovariate(rate), come)

    come()
    ends_s = requests / rate
    clock.run(ends_s)
    return Outcome.of(times_s, ends_s - began_s)


def machines_for(total_bytes: float, machine_bytes: float, fill: float) -> int:
    """Return the machines whose memory has room for so much, of which a part stays free."""
    return math.ceil(total_bytes / (machine_bytes * fill))


def bytes_by_machine(
    sizes: Sequence[float], holders: Sequence[Sequence[int]]
) -> Mapping[int, float]:
    """Return the bytes on each machine of libraries with these sizes."""
    placed: dict[int, float] = {}
    for size, having in zip(sizes, holders, strict=True):
        for machine in having:
            placed[machine] = placed.get(machine, 0.0) + size
    return placed
