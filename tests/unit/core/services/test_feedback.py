"""Feedback on questions that have closed."""

from core.contracts.query import Feedback
from core.ports.store import Replay
from core.services.feedback import FeedbackService
from tests.fakes import FakeStore


def test_each_is_a_write_of_its_own_and_read_in_order() -> None:
    service = FeedbackService(FakeStore())
    good, bad = Feedback(rating=1), Feedback(rating=-1, comment="Wrong.")
    assert service.add("q", good).position == 1
    assert service.add("q", bad).position == 2
    assert service.of("q").value == [good, bad]
    assert service.of("q").position == 2
    assert service.of("other").value == []


def test_what_is_to_be_kept_with_it_is_in_the_same_write() -> None:
    store = FakeStore()
    replay = Replay("f", 202, {}, b"")
    FeedbackService(store).add(
        "q", Feedback(rating=0), before_commit=lambda unit, _: unit.replays.put("key", replay)
    )
    with store.read() as snapshot:
        assert snapshot.replays.get("key") == replay
        assert snapshot.position == 1
