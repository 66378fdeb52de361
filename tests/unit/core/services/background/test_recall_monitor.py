"""Recall is what an exact repetition says, and it moves the effort."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from core.domain.library import IndexKind, IndexSpec, Library, Metric
from core.indexing.maintenance.index_status import Recall
from core.indexing.views import next_view
from core.indexing.views.ranking import Ranking
from core.indexing.views.view import LibraryView
from core.services.background import recall_monitor
from core.services.background.recall_monitor import RecallMonitor, SampledSearch
from tests.unit.core.builders import chunk, document, embedded, library
from tests.waiting import until

TARGET = 0.95
LIBRARY = library(metric=Metric.L2, dimension=2)


def _view() -> LibraryView:
    view = LibraryView.empty(LIBRARY)
    view = next_view.with_documents(view, [document()])
    return next_view.with_chunks(view, [embedded(chunk(f"c{i}"), (i, 0.0)) for i in range(20)])


def sampled(view: LibraryView, hit_count: int, target: float | None = TARGET) -> SampledSearch:
    """A search for the ten nearest that missed all but the first `hit_count`."""
    query = np.zeros(2, np.float32)
    [exact] = view.search(query[np.newaxis], 10)
    scores = np.concatenate([exact.scores[:hit_count], np.full(10 - hit_count, -99.0)])
    ranking: Ranking = replace(exact, scores=scores, exact=False)
    return SampledSearch(view, query, 10, None, ranking, target)


def test_the_share_of_the_true_hits() -> None:
    view, monitor = _view(), RecallMonitor()
    assert monitor.recall(LIBRARY) is None
    for hit_count in (10, 7):
        monitor.measure(sampled(view, hit_count))
    recall = monitor.recall(LIBRARY)
    assert recall is not None
    assert recall.measured == pytest.approx(0.85)
    assert recall.worst_tenth == pytest.approx(0.7)
    assert recall.searches == 2


def test_the_worst_tenth_shows_a_hard_minority() -> None:
    view, monitor = _view(), RecallMonitor()
    for hit_count in [10] * 90 + [2] * 9 + [4]:
        monitor.measure(sampled(view, hit_count))
    recall = monitor.recall(LIBRARY)
    assert recall is not None
    assert recall.measured > 0.92
    assert recall.worst_tenth == pytest.approx(0.22)


def test_the_last_searches_count() -> None:
    view, monitor = _view(), RecallMonitor()
    for hit_count in [0] * 40 + [10] * 256:
        monitor.measure(sampled(view, hit_count))
    assert monitor.recall(LIBRARY) == Recall(1.0, 1.0, 256)


def test_below_the_target_searches_look_harder_and_above_less_hard() -> None:
    view, monitor = _view(), RecallMonitor()
    assert monitor.boost(LIBRARY) == 1.0
    for _ in range(32):
        monitor.measure(sampled(view, 5))
    assert monitor.boost(LIBRARY) == 1.25
    for _ in range(32 * 30):
        monitor.measure(sampled(view, 5))
    assert monitor.boost(LIBRARY) == 8.0
    for _ in range(32 * 30):
        monitor.measure(sampled(view, 10))
    assert monitor.boost(LIBRARY) == 1.0


@pytest.mark.parametrize(
    "changed",
    [
        replace(LIBRARY, created_at=LIBRARY.created_at + timedelta(seconds=1)),
        replace(LIBRARY, index=IndexSpec(IndexKind.IVF)),
        replace(LIBRARY, embedding_model="other"),
    ],
)
def test_another_set_up_of_a_library_has_no_recall_yet(changed: Library) -> None:
    view, monitor = _view(), RecallMonitor()
    for _ in range(32):
        monitor.measure(sampled(view, 5))
    assert (monitor.recall(changed), monitor.boost(changed)) == (None, 1.0)
    monitor.measure(sampled(replace(view, library=changed), 10))
    assert monitor.recall(changed) == Recall(1.0, 1.0, 1)


def test_the_last_measured_libraries_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall_monitor, "MAX_LIBRARIES", 2)
    view, monitor = _view(), RecallMonitor()
    libraries = [replace(LIBRARY, id=id_) for id_ in ("a", "b", "c")]
    for number in (0, 1, 0, 2):
        monitor.measure(sampled(replace(view, library=libraries[number]), 10))
    assert [monitor.recall(each) is not None for each in libraries] == [True, False, True]


def test_a_set_effort_says_nothing_of_the_calibration() -> None:
    view, monitor = _view(), RecallMonitor()
    for _ in range(64):
        monitor.measure(sampled(view, 5, target=None))
    assert monitor.boost(LIBRARY) == 1.0
    assert monitor.recall(LIBRARY) == Recall(0.5, 0.5, 64)


def test_a_share_of_the_searches_is_measured_on_a_thread() -> None:
    view, monitor = _view(), RecallMonitor(every=4)
    monitor.start()
    for _ in range(4):
        if monitor.is_due():
            monitor.offer(sampled(view, 10))
    until(lambda: monitor.recall(LIBRARY) == Recall(1.0, 1.0, 1))
    monitor.close()


def test_repetitions_take_a_small_share_of_the_time() -> None:
    now = [0.0]
    view, monitor = _view(), RecallMonitor(every=1, clock=lambda: now[0])
    assert monitor.is_due()
    monitor.offer(sampled(view, 10))
    monitor.start()
    until(lambda: monitor.recall(LIBRARY) is not None)
    until(lambda: not monitor.is_due())
    now[0] = 1e6
    assert monitor.is_due()
    monitor.close()


def test_a_full_queue_fails_no_search() -> None:
    view, monitor = _view(), RecallMonitor(every=1)
    for _ in range(50):
        monitor.offer(sampled(view, 10))
    monitor.start()
    monitor.close()


def test_what_fails_is_logged_and_the_next_is_measured(caplog: pytest.LogCaptureFixture) -> None:
    view, monitor = _view(), RecallMonitor(every=1)
    monitor.offer(replace(sampled(view, 10), query=np.zeros(3, np.float32)))
    monitor.offer(sampled(view, 10))
    monitor.start()
    until(lambda: monitor.recall(LIBRARY) == Recall(1.0, 1.0, 1))
    monitor.close()
    assert "could not be measured" in caplog.text
