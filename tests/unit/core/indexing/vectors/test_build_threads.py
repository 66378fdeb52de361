"""Build threads yield to searches, and their number is limited."""

import os
import sys
import threading

import numpy as np
import pytest

from core.indexing.vectors import build_threads
from core.indexing.vectors.build_threads import BuildThreads
from core.indexing.vectors.search_activity import SearchActivity
from core.indexing.views.next_view import with_chunks
from core.indexing.views.view import LibraryView
from tests.unit.core.builders import chunk, embedded, library

QUERY = np.ones((1, 2), np.float32)


class Searches(SearchActivity):
    """Search activity whose clock stands still until `pause`."""

    def __init__(self) -> None:
        self.now_s = 0.0
        super().__init__(lambda: self.now_s)

    def pause(self) -> None:
        self.now_s += 1


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has no niceness of its own")
def test_they_give_way_and_no_other_thread_does() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()
    with BuildThreads(2) as pool:
        assert {pool.submit(niceness).result() for _ in range(4)} == {max(before, 10)}
    assert niceness() == before


@pytest.mark.skipif(sys.platform != "linux", reason="a thread can't choose its cores")
def test_while_searches_come_they_keep_off_one_core() -> None:
    cores, searches = os.sched_getaffinity(0), Searches()
    some = (cores - {min(cores)}) or cores
    with BuildThreads(1, searches) as pool:

        def allowed() -> set[int]:
            return pool.submit(os.sched_getaffinity, 0).result()

        assert allowed() == cores
        searches.record()
        assert allowed() == some
        searches.pause()
        assert allowed() == cores
    assert os.sched_getaffinity(0) == cores


def test_all_work_without_searches_and_one_fewer_while_searches_come() -> None:
    searches = Searches()
    with BuildThreads(4, searches) as four, BuildThreads(1, searches) as one:
        assert (four.budget, one.budget) == (4, 1)
        searches.record()
        assert (four.budget, one.budget) == (3, 1)
        searches.pause()
        assert (four.budget, one.budget) == (4, 1)


def test_they_rest_while_searches_come_unless_two_cores_are_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(build_threads, "_cores", lambda: {0, 2, 4, 6})
    searches = Searches()
    with BuildThreads(4, searches) as pool:
        assert pool.rest_us(4) == 0
        searches.record()
        assert pool.rest_us(2) == 0
        assert pool.rest_us(3) > 0
        searches.pause()
        assert pool.rest_us(3) == 0


def test_a_search_of_a_view_counts() -> None:
    view = LibraryView.empty(library())
    view.search(QUERY, 1)
    assert not view.runtime.activity.is_recent, "there was nothing to compare"
    with_chunks(view, [embedded(chunk("c"))]).search(QUERY, 1)
    assert view.runtime.activity.is_recent
