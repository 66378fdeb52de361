"""The simulation against results of queueing theory, and against sums that a reader can do."""

from functools import partial
from random import Random

import pytest

from benchmarks.simulation.engine import Clock, Machine, Process
from benchmarks.simulation.shared_cores import Costs, predict

ONE_CORE, TWO_CORES = (1.0,), (1.0, 1.0)


def ends_of(speeds: tuple[float, ...], works_s: list[float]) -> list[float]:
    """Return when processes end that all begin at once."""
    clock, ends = Clock(), [0.0] * len(works_s)
    machine = Machine(clock, speeds)

    def note(number: int) -> None:
        ends[number] = clock.now_s

    for number, work_s in enumerate(works_s):
        machine.run(work_s, partial(note, number))
    clock.run(1e6)
    return ends


def test_processes_share_the_cores() -> None:
    assert ends_of(ONE_CORE, [1, 2]) == pytest.approx([2, 3])
    assert ends_of(TWO_CORES, [1, 2]) == pytest.approx([1, 2])
    assert ends_of(TWO_CORES, [2, 2, 2]) == pytest.approx([3, 3, 3])
    assert ends_of((1.0, 0.5), [1, 2]) == pytest.approx([2, 3])


def test_a_process_works_on_one_request_after_the_other() -> None:
    clock = Clock()
    order: list[tuple[str, float]] = []
    process = Process(Machine(clock, TWO_CORES))
    process.submit(2, lambda: order.append(("first", clock.now_s)))
    process.submit(1, lambda: order.append(("second", clock.now_s)))
    assert process.load == 2
    clock.run(10)
    assert order == [("first", 2), ("second", 3)]
    assert process.load == 0


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_a_queue_with_random_arrivals_has_the_mean_time_of_theory(load: float) -> None:
    """M/M/1: the mean time in the system is the mean work over (1 − load)."""
    clock, chance = Clock(), Random(1)
    process = Process(Machine(clock, ONE_CORE))
    times_s: list[float] = []

    def arrive() -> None:
        came_s = clock.now_s
        process.submit(chance.expovariate(1), lambda: times_s.append(clock.now_s - came_s))
        clock.call_after(chance.expovariate(load), arrive)

    arrive()
    clock.run(200_000)
    assert sum(times_s) / len(times_s) == pytest.approx(1 / (1 - load), rel=0.05)


COSTS = Costs(0.002, 0.0005, (1.0,), TWO_CORES, idle_cores=0.0)


def test_a_busy_node_serves_what_its_cpu_time_allows() -> None:
    one = predict(COSTS, nodes=1, connections=8)
    assert one.requests_s == pytest.approx(1 / 0.002, rel=0.01)
    assert one.p50_ms == pytest.approx(8 * 2, rel=0.05)


def test_nodes_on_full_cores_share_them() -> None:
    """Two cores, and 2.5 ms of CPU for each request in all."""
    for nodes in (2, 3):
        served = predict(COSTS, nodes=nodes, connections=24)
        assert served.requests_s == pytest.approx(2 / 0.0025, rel=0.05)


def test_one_connection_waits_for_each_part_in_turn() -> None:
    alone = predict(COSTS, nodes=1, connections=1)
    assert alone.p50_ms == pytest.approx(2.5, rel=0.01)
    assert alone.requests_s == pytest.approx(400, rel=0.01)


def test_what_others_use_is_missing() -> None:
    one_core = Costs(0.002, 0.0005, (1.0,), ONE_CORE, idle_cores=0.0)
    free = predict(one_core, nodes=1, connections=1)
    shared = predict(one_core, nodes=1, connections=1, other_cores=0.5)
    assert 0.45 < shared.requests_s / free.requests_s < 0.75
    idle = Costs(0.002, 0.0005, (1.0,), ONE_CORE, idle_cores=0.5)
    assert predict(idle, nodes=1, connections=1) == shared


def test_a_prediction_is_the_same_for_the_same_seed() -> None:
    varied = Costs(0.002, 0.0005, (0.5, 1.5), TWO_CORES, idle_cores=0.1)
    assert predict(varied, nodes=2, connections=5) == predict(varied, nodes=2, connections=5)
