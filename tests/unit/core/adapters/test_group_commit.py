"""The protocol of group commit, on a transaction that notes what it is asked for."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from core.adapters.group_commit import GroupCommit
from core.domain.errors import NotFound, StorageError, StorageFull, Unavailable
from tests.waiting import until


class FakeTransaction:
    """`fail_at`: the call that fails next, with what; `lost`: that error ends the transaction."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.is_open = False
        self.fail_at: dict[str, Exception] = {}
        self.lost = False
        self.on_commit: Callable[[], None] = lambda: None

    def begin(self) -> None:
        assert not self.is_open
        self._call("begin")
        self.is_open = True

    def commit(self) -> None:
        assert self.is_open
        self._call("commit")
        self.on_commit()
        self.is_open = False

    def rollback(self) -> None:
        assert self.is_open
        self._call("rollback")
        self.is_open = False

    def set_savepoint(self) -> None:
        self._call("mark")

    def release_savepoint(self) -> None:
        self._call("keep")

    def undo_to_savepoint(self) -> None:
        self._call("undo")

    def work(self) -> None:
        self._call("work")

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if error := self.fail_at.pop(name, None):
            self.is_open = self.is_open and not self.lost
            raise error


class Bench:
    """A group commit, threads that call it, and the units whose listeners have run."""

    def __init__(
        self, pool: ThreadPoolExecutor, *, max_units: int = 64, max_patience_s: float = 1e6
    ) -> None:
        self.engine = FakeTransaction()
        self.now_s = 0.0
        self.group_commit = GroupCommit(
            self.engine,
            max_units=max_units,
            max_patience_s=max_patience_s,
            clock=lambda: self.now_s,
        )
        self.notified: list[str] = []
        self._pool = pool

    def write(self, name: str, fails: Exception | None = None, *, settled: bool = False) -> None:
        with self.group_commit.unit(settled=settled) as commit:
            self.engine.work()
            if fails:
                raise fails
            commit(lambda: self.notified.append(name))

    @contextmanager
    def held(self) -> Iterator[None]:
        """The turn, while others queue up for it."""
        with self.group_commit.exclusive_turn():
            yield

    def queue(self, call: Callable[[], None]) -> Future[None]:
        queued = len(self.group_commit._lock._waiting)
        future = self._pool.submit(call)
        until(lambda: len(self.group_commit._lock._waiting) == queued + 1)
        return future

    def queued(self, name: str, fails: Exception | None = None) -> Future[None]:
        return self.queue(lambda: self.write(name, fails))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as threads:
        yield threads


@pytest.fixture
def bench(pool: ThreadPoolExecutor) -> Bench:
    return Bench(pool)


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
        with bench.group_commit.unit(settled=True) as commit:
            seen.append(list(bench.notified))
            commit(lambda: bench.notified.append("s"))

    with bench.held():
        futures = [bench.queued("a"), bench.queued("b"), bench.queue(settled), bench.queued("c")]
    for future in futures:
        future.result(30)
    assert seen == [["a", "b"]]
    assert bench.notified == ["a", "b", "s", "c"]


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
