"""The prediction for a few nodes whose processes share the cores of one machine with their client.

Each connection of the client sends a request, waits for its response, and sends the next. The
client and each node are processes with one thread. A node also works for itself: it looks at the
lease and at the log. Other processes of the machine take cores too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from benchmarks.simulation.engine import Clock, Machine, Process

SIMULATED_S, WARM_S = 20.0, 2.0
_SLICE_S = 0.001
"""The CPU time of one turn of a process that is not a request's."""


@dataclass(frozen=True, slots=True)
class Costs:
    """The measured costs of a request.

    `server_s`, `client_s`: CPU time of a request. `shape`: times of single requests over their
    mean. `speeds`: as for a `Machine`. `idle_cores`: the cores that a node without requests uses.
    """

    server_s: float
    client_s: float
    shape: Sequence[float]
    speeds: Sequence[float]
    idle_cores: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """Requests a second, and the times that the client has seen."""

    requests_s: float
    p50_ms: float
    p99_ms: float

    @classmethod
    def of(cls, times_s: Sequence[float], seconds: float) -> "Outcome":
        p50, p99 = np.percentile(np.array(times_s) * 1e3, [50, 99]).tolist()
        return cls(len(times_s) / seconds, p50, p99)


def predict(
    costs: Costs, *, nodes: int, connections: int, other_cores: float = 0.0, seed: int = 0
) -> Outcome:
    """Simulate the nodes; `other_cores`: those that processes of others use meanwhile."""
    chance = Random(seed)
    clock = Clock()
    machine = Machine(clock, costs.speeds)
    client = Process(machine)
    servers = [Process(machine) for _ in range(nodes)]
    times_s: list[float] = []
    for cores in [*[costs.idle_cores] * nodes, *_split(other_cores)]:
        _keep_busy(clock, Process(machine), cores, chance)
    for number in range(connections):
        _connect(clock, client, servers[number % nodes], costs, chance, times_s)
    clock.run(SIMULATED_S)
    return Outcome.of(times_s, SIMULATED_S - WARM_S)


def _connect(
    clock: Clock,
    client: Process,
    server: Process,
    costs: Costs,
    chance: Random,
    times_s: list[float],
) -> None:
    """Let a connection send requests forever; note the time of each after the warm-up."""
    sent_s = 0.0

    def send() -> None:
        nonlocal sent_s
        sent_s = clock.now_s
        server.submit(costs.server_s * chance.choice(costs.shape), receive)

    def receive() -> None:
        client.submit(costs.client_s, note)

    def note() -> None:
        if clock.now_s >= WARM_S:
            times_s.append(clock.now_s - sent_s)
        send()

    send()


def _keep_busy(clock: Clock, process: Process, cores: float, chance: Random) -> None:
    """Let a process use a part of a core, in turns at random times."""
    if cores <= 0:
        return
    mean_pause_s = _SLICE_S * (1 - cores) / cores

    def work() -> None:
        process.submit(_SLICE_S, pause)

    def pause() -> None:
        clock.call_after(chance.expovariate(1 / mean_pause_s) if mean_pause_s else 0.0, work)

    pause()


def _split(cores: float) -> list[float]:
    """Split cores among the fewest processes, each of which uses one core at most."""
    processes = max(1, math.ceil(cores))
    return [cores / processes] * processes
