"""A background thread works when it is due or woken, until it is closed."""

import logging
import math
import threading
from collections.abc import Iterator

import pytest

from core.background_thread import BackgroundThread
from tests.waiting import until

_PATIENCE_S = 30


class Work:
    """Work that returns or raises the given results one after the other, then waits for `wake`."""

    def __init__(self, *results: float | Exception | None) -> None:
        self.results = list(results)
        self.calls = 0

    def __call__(self) -> float | None:
        result = self.results.pop(0) if self.results else math.inf
        self.calls += 1
        if isinstance(result, Exception):
            raise result
        return result


@pytest.fixture
def threads() -> Iterator[list[BackgroundThread]]:
    threads: list[BackgroundThread] = []
    yield threads
    for thread in threads:
        thread.close(_PATIENCE_S)


def started(
    threads: list[BackgroundThread], work: Work, retry_s: float | None = 0.0
) -> BackgroundThread:
    thread = BackgroundThread("test", work, failure="The work failed.", retry_s=retry_s)
    threads.append(thread)
    thread.start()
    return thread


def test_it_works_while_work_is_due(threads: list[BackgroundThread]) -> None:
    work = Work(0.0, 0.001, -1.0)
    started(threads, work)
    until(lambda: work.calls == 4)


def test_wake_ends_the_wait(threads: list[BackgroundThread]) -> None:
    work = Work(1_000.0, math.inf)
    thread = started(threads, work)
    for calls in (1, 2, 3):
        until(lambda calls=calls: work.calls == calls)  # type: ignore[misc]
        thread.wake()


def test_a_wake_during_the_work_calls_it_again(threads: list[BackgroundThread]) -> None:
    at_work, go_on = threading.Event(), threading.Event()
    calls: list[None] = []

    def work() -> float:
        calls.append(None)
        at_work.set()
        assert go_on.wait(_PATIENCE_S)
        return math.inf

    thread = BackgroundThread("test", work, failure="The work failed.")
    threads.append(thread)
    thread.start()
    assert at_work.wait(_PATIENCE_S)
    thread.wake()
    go_on.set()
    until(lambda: len(calls) == 2)


def test_an_error_is_logged_and_the_work_goes_on(
    threads: list[BackgroundThread], caplog: pytest.LogCaptureFixture
) -> None:
    work = Work(OSError("no room"), 0.0)
    started(threads, work)
    until(lambda: work.calls == 3)
    [record] = caplog.records
    assert (record.levelno, record.message) == (logging.ERROR, "The work failed.")
    assert "no room" in caplog.text


def test_without_a_retry_an_error_ends_the_thread(threads: list[BackgroundThread]) -> None:
    work = Work(OSError("no room"), 0.0)
    thread = started(threads, work, retry_s=None)
    until(lambda: work.calls == 1)
    thread.wake()
    assert thread.close(_PATIENCE_S)
    assert work.calls == 1


def test_it_ends_by_itself(threads: list[BackgroundThread]) -> None:
    work = Work(0.0, None)
    thread = started(threads, work)
    until(lambda: work.calls == 2)
    thread.wake()
    assert thread.close(_PATIENCE_S)
    assert work.calls == 2


def test_close_waits_for_the_work_up_to_its_deadline_and_drops_its_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def work() -> float:
        at_work.set()
        assert go_on.wait(_PATIENCE_S)
        raise OSError("closed meanwhile")

    thread = BackgroundThread("test", work, failure="The work failed.")
    thread.start()
    assert at_work.wait(_PATIENCE_S)
    assert not thread.close(timeout_s=0.01)
    assert thread.is_closed
    go_on.set()
    assert thread.close(_PATIENCE_S)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_it_may_be_closed_before_it_starts() -> None:
    assert not BackgroundThread("test", Work(), failure="The work failed.").close()


def test_begin_runs_first_in_the_thread(threads: list[BackgroundThread]) -> None:
    names: list[str] = []

    def note() -> float:
        names.append(threading.current_thread().name)
        return math.inf

    thread = BackgroundThread(
        "test", note, failure="The work failed.", begin=lambda: (note(), None)[1]
    )
    threads.append(thread)
    thread.start()
    until(lambda: names == ["test", "test"])
