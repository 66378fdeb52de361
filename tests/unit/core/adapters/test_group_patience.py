"""The wait of the last unit of a group for others."""

import pytest

from core.domain.errors import NotFound
from tests.unit.core.adapters.group_bench import Bench
from tests.waiting import until


def let_commits_take(bench: Bench, seconds: float) -> None:
    def pass_time() -> None:
        bench.now_s += seconds

    bench.engine.on_commit = pass_time


def write_group(bench: Bench, names: str) -> None:
    with bench.held():
        futures = [bench.queued(name) for name in names]
    for future in futures:
        future.result(30)


def test_a_unit_waits_for_as_many_as_the_last_group_had(bench: Bench) -> None:
    """Longer than the test's deadlines, if they do not come."""
    let_commits_take(bench, 1e6)
    write_group(bench, "abc")
    first = bench._pool.submit(bench.write, "d")
    until(lambda: units_of(bench) == 1)
    second = bench._pool.submit(bench.write, "e")
    until(lambda: units_of(bench) == 2)
    assert [first.done(), second.done()] == [False, False]
    bench.write("f")
    first.result(30)
    second.result(30)
    assert bench.engine.calls.count("commit") == 2
    assert bench.notified == list("abcdef")


def units_of(bench: Bench) -> int:
    group = bench.group_commit._group
    return len(group.after_commits) if group else 0


def test_a_unit_waits_for_others_as_long_as_a_commit_takes(bench: Bench) -> None:
    let_commits_take(bench, 0.001)
    write_group(bench, "abc")
    bench.write("d")
    assert bench.notified == list("abcd")
    let_commits_take(bench, 1e6)
    bench.write("e")
    bench.write("f")  # waits for no one, as the last group was a single unit
    assert bench.notified == list("abcdef")


def test_a_group_that_waits_for_others_is_ended_by_the_close(bench: Bench) -> None:
    let_commits_take(bench, 1e6)
    write_group(bench, "ab")
    waiting = bench._pool.submit(bench.write, "c")
    until(lambda: units_of(bench) == 1)
    assert bench.group_commit.close()
    waiting.result(30)
    assert bench.notified == list("abc")


def test_a_unit_that_fails_ends_the_wait_for_others(bench: Bench) -> None:
    let_commits_take(bench, 1e6)
    write_group(bench, "ab")
    waiting = bench._pool.submit(bench.write, "c")
    until(lambda: units_of(bench) == 1)
    with pytest.raises(NotFound):
        bench.write("d", NotFound("library", "l"))
    waiting.result(30)
    assert bench.notified == list("abc")


def test_a_unit_ends_the_group_that_a_later_one_leaves_to_it(bench: Bench) -> None:
    """Its wait for others ends while the later one has the turn, so it is the next in the queue."""
    let_commits_take(bench, 2.0)
    write_group(bench, "ab")
    waiting = bench._pool.submit(bench.write, "c")
    until(lambda: units_of(bench) == 1)

    def write_late() -> None:
        with bench.group_commit.unit() as commit:
            until(lambda: len(bench.group_commit._lock._waiting) == 1)
            commit(lambda: bench.notified.append("d"))

    late = bench._pool.submit(write_late)
    waiting.result(60)
    late.result(60)
    assert bench.notified == list("abcd")
    assert bench.engine.calls.count("commit") == 2
