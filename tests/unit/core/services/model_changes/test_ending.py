"""Cancelling and forgetting, and writes at the moment of a switch."""

import threading

import pytest

from core.domain.document import ChunkDraft
from core.domain.errors import Conflict, Unavailable
from core.domain.model_change import ModelChangeState
from core.services.model_changes.write_gate import WriteGate
from tests.unit.core.services.model_changes.case import Case

State = ModelChangeState


@pytest.mark.parametrize("state", [State.STAGING, State.COMPARING, State.SWITCHING])
def test_a_cancelled_change_leaves_the_library_as_it_was(case: Case, state: State) -> None:
    case.begin()
    case.run(until=[state])
    cancelled = case.changes.cancel("lib").value
    assert cancelled.state is State.CANCELLED
    assert cancelled.ended_at is not None
    assert (case.library.embedding_model, case.staged("new")) == ("old", 0)
    assert case.changes.cancel("lib").value == cancelled
    assert case.best("05") == ("05", 1.0)
    assert case.move().state is State.SWITCHED


def test_a_cancelled_revert_leaves_the_new_model_and_can_begin_again(case: Case) -> None:
    case.move()
    case.begin_revert()
    assert case.changes.cancel("lib").value.state is State.SWITCHED
    assert (case.library.embedding_model, case.staged("old")) == ("new", 10)
    case.begin_revert()
    assert case.run().state is State.REVERTED


def test_a_step_that_ends_after_the_cancellation_changes_nothing(case: Case) -> None:
    case.begin()
    case.run(until=[State.SWITCHING])
    case.write("98")

    def cancel(_: object) -> None:
        case.changes.cancel("lib")

    case.new.before = cancel
    case.step()
    assert (case.change.state, case.library.embedding_model) == (State.CANCELLED, "old")


def test_there_must_be_something_to_cancel(case: Case) -> None:
    with pytest.raises(Conflict):
        case.changes.cancel("lib")
    case.move()
    with pytest.raises(Conflict):
        case.changes.cancel("lib")


def test_what_is_forgotten_can_t_be_reverted(case: Case) -> None:
    case.changes.forget("lib")
    case.move()
    case.changes.forget("lib")
    assert (case.staged("old"), case.change.revertable) == (0, False)
    assert case.change.state is State.SWITCHED
    with pytest.raises(Conflict):
        case.changes.check_revertable("lib")
    case.changes.forget("lib")


def test_nothing_is_forgotten_during_a_change(case: Case) -> None:
    case.begin()
    with pytest.raises(Conflict):
        case.changes.forget("lib")


def test_a_begin_can_be_undone(case: Case) -> None:
    assert case.changes.begin(case.changes.check("lib", "new"), "new", "w") is None
    case.changes.undo_begin("lib", None)
    assert case.changes.get("lib").value[1] is None
    before = case.move()
    case.changes.begin(case.changes.check("lib", "wide"), "wide", "w")
    case.changes.undo_begin("lib", before)
    assert case.change == before


def test_writes_that_keep_coming_put_the_switch_off(case: Case) -> None:
    case.begin()
    case.run(until=[State.SWITCHING])
    count = iter(range(1_000))

    def write_another(_: object) -> None:
        chunk = ChunkDraft("text", embedding=case.old.vector("text"))
        case.chunks.put("lib", f"more-{next(count)}", "doc", chunk)

    case.new.before = write_another
    case.write("98")
    with pytest.raises(Unavailable, match="keep coming"):
        case.step()
    assert (case.change.state, case.library.embedding_model) == (State.SWITCHING, "old")
    case.new.before = lambda _: None
    assert case.run().state is State.SWITCHED


def test_the_gate_holds_writes_back_until_it_opens() -> None:
    gate, admitted = WriteGate(longest_s=60), threading.Event()
    admit = gate.before(lambda _id, _rows: admitted.set())
    writer = threading.Thread(target=admit, args=("lib", 1))
    with gate.closed("lib"):
        writer.start()
        gate.before(lambda _id, _rows: None)("other", 1)
        gate.before(lambda _id, _rows: None)("lib", 0)
        assert not admitted.is_set()
    writer.join(60)
    assert admitted.is_set()


def test_no_write_waits_at_the_gate_for_ever() -> None:
    gate, admitted = WriteGate(longest_s=0.01), threading.Event()
    with gate.closed("lib"):
        gate.before(lambda _id, _rows: admitted.set())("lib", 1)
        assert admitted.is_set()
