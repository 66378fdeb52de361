"""Build threads yield to searches, and their number is limited."""

import os
import sys
import threading
import time

import numpy as np
import pytest

from core.indexing.vectors import build_threads
from core.indexing.vectors.build_threads import record_search, rest_us, thread_budget
from core.indexing.views.next_view import with_chunks
from core.indexing.views.view import LibraryView
from tests.unit.core.builders import chunk, embedded, library

QUERY = np.ones((1, 2), np.float32)
_PATIENCE_S = 30


@pytest.fixture(autouse=True)
def nobody_has_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_threads, "_last_search_s", -float("inf"))


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has no niceness of its own")
def test_they_give_way_and_nobody_else_does() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()
    with build_threads.build_threads(2) as pool:
        assert {pool.submit(niceness).result() for _ in range(4)} == {max(before, 10)}
    assert niceness() == before


@pytest.mark.skipif(sys.platform != "linux", reason="a thread can't choose its cores")
def test_while_searches_come_they_keep_off_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = os.sched_getaffinity(0)
    some = (cores - {min(cores)}) or cores
    with build_threads.build_threads(1) as pool:

        def allowed() -> set[int]:
            return pool.submit(os.sched_getaffinity, 0).result()

        assert allowed() == cores
        monkeypatch.setattr(build_threads, "_last_search_s", time.monotonic() + _PATIENCE_S)
        assert allowed() == some
        monkeypatch.setattr(build_threads, "_last_search_s", time.monotonic() - 1)
        assert allowed() == cores
    assert os.sched_getaffinity(0) == cores


def test_all_while_nobody_searches_and_one_fewer_while_searches_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert thread_budget(4) == 4
    record_search()
    assert thread_budget(4) == 3
    monkeypatch.setattr(build_threads, "_last_search_s", time.monotonic() - 1)
    assert thread_budget(4) == 4


def test_one_at_least() -> None:
    record_search()
    assert thread_budget(1) == 1


def test_they_rest_while_searches_come_unless_two_cores_are_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(build_threads, "_cores", lambda: {0, 2, 4, 6})
    assert rest_us(4) == 0
    record_search()
    assert rest_us(2) == 0
    assert rest_us(3) > 0
    monkeypatch.setattr(build_threads, "_last_search_s", time.monotonic() - 1)
    assert rest_us(3) == 0


def test_a_search_of_a_view_counts() -> None:
    view = LibraryView.empty(library())
    view.search(QUERY, 1)
    assert thread_budget(2) == 2, "there was nothing to compare"
    with_chunks(view, [embedded(chunk("c"))]).search(QUERY, 1)
    assert thread_budget(2) == 1
