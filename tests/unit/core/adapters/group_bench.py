"""A group commit on a transaction that notes what it is asked for."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from core.adapters.group_commit import GroupCommit
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

    def write(
        self, name: str, fails: Exception | None = None, *, after_listeners: bool = False
    ) -> None:
        with self.group_commit.unit(after_listeners=after_listeners) as commit:
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
