"""The protocol of group commit, on a transaction that notes what it is asked for."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.domain.errors import NotFound, StorageError, StorageFull, Unavailable
from tests.unit.core.adapters.group_bench import Bench


def test_one_alone_is_a_transaction_without_a_savepoint(bench: Bench) -> None:
    bench.write("a")
    bench.write("b")
    assert bench.engine.calls == ["begin", "work", "commit"] * 2
    assert bench.notified == ["a", "b"]


def test_one_alone_that_fails_is_rolled_back(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.write("a", NotFound("library", "l"))
    with bench.group_commit.unit():
        pass
    assert bench.engine.calls == ["begin", "work", "rollback", "begin", "rollback"]
    assert bench.notified == []


def test_waiting_writers_share_a_commit_and_return_in_order(bench: Bench) -> None:
    with bench.held():
        futures = [bench.queued(name) for name in "abc"]
    for future in futures:
        future.result(30)
    one = ["mark", "work", "keep"]
    assert bench.engine.calls == ["begin", "work", *one, *one, "commit"]
    assert bench.notified == ["a", "b", "c"]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_one_that_fails_is_undone_alone(bench: Bench, failing: int) -> None:
    with bench.held():
        futures = [
            bench.queued(name, NotFound("library", name) if i == failing else None)
            for i, name in enumerate("abc")
        ]
    for i, future in enumerate(futures):
        if i == failing:
            with pytest.raises(NotFound):
                future.result(30)
        else:
            future.result(30)
    assert bench.notified == [name for i, name in enumerate("abc") if i != failing]
    assert bench.engine.calls.count("commit") == 1
    assert bench.engine.calls.count("rollback" if failing == 0 else "undo") == 1


def test_one_that_fails_hears_of_it_after_those_that_it_saw(bench: Bench) -> None:
    with bench.held():
        written = bench.queued("a")
        saw = bench.queued("b", NotFound("library", "l"))
        written_too = bench.queued("c")
        bench.engine.fail_at["commit"] = StorageFull("full")
    for future in (written, saw, written_too):
        with pytest.raises(StorageFull, match="full"):
            future.result(30)
    assert bench.notified == []


def test_a_commit_that_fails_fails_all_and_calls_no_listener(bench: Bench) -> None:
    with bench.held():
        futures = [bench.queued(name) for name in "abc"]
        bench.engine.fail_at["commit"] = StorageFull("full")
    errors = [future.exception(30) for future in futures]
    assert all(isinstance(error, StorageFull) for error in errors)
    assert len({id(error) for error in errors}) == 3
    assert bench.engine.calls[-2:] == ["commit", "rollback"]
    assert bench.notified == []
    bench.write("d")
    assert bench.notified == ["d"]


def test_an_error_that_ends_the_transaction_ends_the_group(bench: Bench) -> None:
    bench.engine.lost = True

    def filling() -> None:
        with bench.group_commit.unit():
            bench.engine.fail_at["work"] = StorageFull("full")
            bench.engine.work()

    with bench.held():
        before = bench.queued("a")
        filled = bench.queue(filling)
        after = bench.queued("c")
    for future in (before, filled):
        with pytest.raises(StorageFull):
            future.result(30)
    after.result(30)
    assert bench.notified == ["c"]


def test_a_swallowed_error_that_ended_the_transaction_is_found(bench: Bench) -> None:
    bench.engine.lost = True

    def swallowing() -> None:
        with bench.group_commit.unit() as commit:
            bench.engine.fail_at["work"] = StorageFull("full")
            with pytest.raises(StorageFull):
                bench.engine.work()
            commit(lambda: bench.notified.append("never"))

    with bench.held():
        before = bench.queued("a")
        swallowed = bench.queue(swallowing)
    for future in (before, swallowed):
        with pytest.raises(StorageError, match="ended"):
            future.result(30)
    assert bench.notified == []


@pytest.mark.parametrize("call", ["mark", "keep", "undo"])
def test_a_savepoint_that_fails_takes_its_group_along_if_it_must(bench: Bench, call: str) -> None:
    fails = NotFound("library", "l") if call == "undo" else None
    with bench.held():
        before = bench.queued("a")
        bad = bench.queued("b", fails)
        bench.engine.fail_at[call] = StorageError("broken")
    assert bad.exception(30) is not None
    if call == "undo":
        assert isinstance(before.exception(30), StorageError)
        assert bench.notified == []
    else:
        before.result(30)
        assert bench.notified == ["a"]
    bench.write("c")
    assert bench.notified[-1] == "c"


def test_a_rollback_that_fails_is_tried_again_by_the_next(bench: Bench) -> None:
    bench.engine.fail_at["rollback"] = StorageError("broken")
    with pytest.raises(StorageError):
        bench.write("a", NotFound("library", "l"))
    bench.write("b")
    assert bench.engine.calls[-4:] == ["rollback", "begin", "work", "commit"]


def test_a_begin_that_fails_leaves_the_turn_to_others(bench: Bench) -> None:
    bench.engine.fail_at["begin"] = StorageError("locked")
    with pytest.raises(StorageError, match="locked"):
        bench.write("a")
    bench.write("b")
    assert bench.notified == ["b"]


def test_a_settled_unit_begins_after_the_listeners_were_called(bench: Bench) -> None:
    seen: list[list[str]] = []

    def settled() -> None:
        with bench.group_commit.unit(after_listeners=True) as commit:
            seen.append(list(bench.notified))
            commit(lambda: bench.notified.append("s"))

    with bench.held():
        futures = [bench.queued("a"), bench.queued("b"), bench.queue(settled), bench.queued("c")]
    for future in futures:
        future.result(30)
    assert seen == [["a", "b"]]
    assert bench.notified == ["a", "b", "s", "c"]


def test_a_group_has_a_size(pool: ThreadPoolExecutor) -> None:
    bench = Bench(pool, max_units=2)
    with bench.held():
        futures = [bench.queued(name) for name in "abcde"]
    for future in futures:
        future.result(30)
    assert bench.engine.calls.count("commit") == 3
    assert bench.notified == list("abcde")


def test_a_group_has_an_age_also_where_units_only_fail(bench: Bench) -> None:
    """Units that keep failing do not delay the commit of an earlier unit."""

    def failing() -> None:
        with bench.group_commit.unit():
            bench.now_s += 1.0
            raise NotFound("library", "l")

    with bench.held():
        written = bench.queued("a")
        failures = [bench.queue(failing) for _ in range(3)]
    written.result(30)
    for failure in failures:
        assert isinstance(failure.exception(30), NotFound)
    calls = bench.engine.calls
    assert calls[: calls.index("commit")] == ["begin", "work", "mark", "undo"]


def test_who_waits_too_long_gives_up_and_the_group_ends(pool: ThreadPoolExecutor) -> None:
    bench = Bench(pool)
    bench.group_commit._wait_s = 0.0
    with bench.group_commit.exclusive_turn(), pytest.raises(Unavailable, match="too long"):
        bench.write("a")
    bench.write("b")
    assert bench.notified == ["b"]


def test_a_closed_one_ends_what_is_pending_and_takes_no_more(bench: Bench) -> None:
    def close() -> None:
        assert bench.group_commit.close()

    with bench.held():
        written = bench.queued("a")
        closed = bench.queue(close)
        late = bench.queued("b")
    written.result(30)
    closed.result(30)
    with pytest.raises(StorageError, match="closed"):
        late.result(30)
    with pytest.raises(StorageError, match="closed"):
        bench.write("c")
    assert not bench.group_commit.close()
    assert bench.notified == ["a"]


def test_a_surprise_in_another_unit_is_not_passed_off_as_one_s_own(bench: Bench) -> None:
    bench.engine.lost = True

    def surprising() -> None:
        with bench.group_commit.unit():
            bench.engine.fail_at["work"] = ZeroDivisionError()
            bench.engine.work()

    with bench.held():
        before = bench.queued("a")
        surprised = bench.queue(surprising)
    with pytest.raises(StorageError, match="ZeroDivisionError"):
        before.result(30)
    assert surprised.exception(30) is not None
