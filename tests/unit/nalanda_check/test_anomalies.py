"""Known anomalies, each as the smallest history that has it, and its sound counterpart."""

from nalanda_check import durability, linearizability, positions, sessions, snapshots
from nalanda_check.main import violations
from nalanda_check.operation import Consistency, Op, Outcome
from tests.unit.nalanda_check.samples import delete, operation, promises, read, write

SESSION = Consistency.SESSION
EVENTUAL = Consistency.EVENTUAL
UNKNOWN = Outcome.UNKNOWN


def test_a_sound_history_breaks_nothing() -> None:
    history = [
        write(1, 1, (0, 10), position=1, epoch=1),
        write(2, 2, (5, 15), position=2, epoch=1),
        read(3, 2, (16, 20), position=2),
        delete(1, (21, 30), position=3, epoch=2),
        read(3, None, (31, 40), position=3, final=True),
    ]
    assert promises(*history) == set()


def test_a_lost_update() -> None:
    history = [
        write(1, 1, (0, 10), position=1),
        write(1, 2, (20, 30), position=2),
        read(2, 1, (40, 50), position=2, final=True),
    ]
    assert promises(*history) == {linearizability.PROMISE, durability.PROMISE, snapshots.PROMISE}


def test_an_acknowledged_write_that_is_absent_in_the_end() -> None:
    lost = write(1, 1, (0, 10), position=7)
    final = read(2, None, (40, 50), position=6, consistency=EVENTUAL, final=True)
    [violation] = violations([lost, final])
    assert (violation.promise, violation.operations) == (durability.PROMISE, [lost, final])


def test_a_later_write_of_unknown_outcome_may_replace_an_acknowledged_one() -> None:
    history = [
        write(1, 1, (0, 10), position=7),
        write(2, 2, (0, 10), outcome=UNKNOWN),
        read(3, 2, (40, 50), position=8, final=True),
    ]
    assert promises(*history) == set()


def test_a_stale_strong_read() -> None:
    history = [
        write(1, 1, (0, 10), position=1),
        write(1, 2, (20, 30), position=2),
        read(2, 1, (40, 50), position=1),
    ]
    assert promises(*history) == {linearizability.PROMISE, positions.ORDER}


def test_a_stale_eventual_read_is_allowed() -> None:
    history = [
        write(1, 1, (0, 10), position=1),
        write(1, 2, (20, 30), position=2),
        read(1, 1, (40, 50), position=1, consistency=EVENTUAL),
    ]
    assert promises(*history) == set()


def test_a_read_of_a_write_that_vanishes() -> None:
    history = [
        write(1, 1, (0, 10), position=1),
        write(2, 2, (20, 30), outcome=UNKNOWN),
        read(3, 2, (40, 50), position=2),
        read(3, 1, (60, 70), position=2),
    ]
    assert promises(*history) == {linearizability.PROMISE, snapshots.PROMISE}


def test_a_read_of_a_refused_write() -> None:
    history = [
        write(1, 1, (0, 10), outcome=Outcome.FAIL),
        read(3, 1, (40, 50), position=2),
    ]
    assert promises(*history) == {linearizability.PROMISE}


def test_a_write_of_unknown_outcome_may_come_late() -> None:
    history = [
        write(1, 1, (0, 10), position=1),
        write(2, 2, (20, 30), outcome=UNKNOWN),
        read(3, 1, (40, 50), position=1),
        read(3, 2, (60, 70), position=2),
    ]
    assert promises(*history) == set()


def test_a_resurrected_delete() -> None:
    history = [
        write(1, 1, (0, 10), position=1),
        delete(1, (20, 30), position=2),
        read(2, None, (40, 50), position=2),
        read(2, 1, (60, 70), position=3),
    ]
    assert promises(*history) == {linearizability.PROMISE, snapshots.PROMISE}


def test_a_search_that_still_sees_a_deleted_chunk() -> None:
    history = [
        write(1, 1, (0, 10), position=1),
        delete(1, (20, 30), position=2),
        operation(2, Op.SEARCH, 1, (40, 50), position=2),
    ]
    assert promises(*history) == {linearizability.PROMISE, snapshots.PROMISE}


def test_a_session_that_goes_back() -> None:
    history = [
        write(1, 1, (0, 10), position=1),
        write(1, 2, (20, 30), position=2),
        read(2, 2, (40, 50), position=2, consistency=SESSION),
        read(2, 1, (60, 70), position=1, consistency=SESSION),
    ]
    assert promises(*history) == {sessions.READS}


def test_a_session_that_does_not_see_its_own_write() -> None:
    history = [
        write(1, 1, (0, 10), position=1),
        read(1, None, (20, 30), position=0, consistency=SESSION),
    ]
    assert promises(*history) == {sessions.WRITES}


def test_another_session_may_be_behind() -> None:
    history = [
        write(1, 1, (0, 10), position=1),
        read(2, None, (20, 30), position=0, consistency=SESSION),
    ]
    assert promises(*history) == set()


def test_a_session_that_reads_an_older_version_at_a_later_position() -> None:
    history = [
        write(1, 1, (0, 10), position=1),
        write(2, 2, (20, 30), position=2),
        read(3, 2, (40, 50), position=2, consistency=SESSION),
        read(3, 1, (60, 70), position=3, consistency=SESSION),
    ]
    assert promises(*history) == {sessions.READS, snapshots.PROMISE}


def test_a_split_brain() -> None:
    """Two leaders write at once, and each position is given twice."""
    history = [
        write(1, 1, (0, 10), position=5, epoch=1, node="a"),
        write(2, 2, (20, 30), position=6, epoch=2, node="b"),
        write(1, 3, (20, 30), position=6, epoch=1, node="a", key="other"),
        read(1, 1, (40, 50), position=6, node="a"),
    ]
    assert promises(*history) == {
        linearizability.PROMISE,
        positions.EPOCHS,
        positions.REUSE,
        snapshots.PROMISE,
    }


def test_a_write_of_an_old_epoch() -> None:
    history = [
        write(1, 1, (0, 10), position=1, epoch=2),
        write(2, 2, (0, 10), position=2, epoch=1),
    ]
    assert promises(*history) == {positions.EPOCHS}


def test_positions_that_are_not_in_the_order_of_commits() -> None:
    history = [
        write(1, 1, (0, 10), position=2),
        write(2, 2, (20, 30), position=1, key="other"),
    ]
    assert promises(*history) == {positions.ORDER}


def test_a_read_shows_that_its_position_is_committed() -> None:
    history = [
        read(1, None, (0, 10), position=4, consistency=EVENTUAL, key="other"),
        write(2, 2, (20, 30), position=4),
    ]
    assert promises(*history) == {positions.ORDER}


def test_nodes_that_differ_at_one_position() -> None:
    history = [
        write(1, 1, (0, 10), outcome=UNKNOWN),
        read(2, 1, (20, 30), position=3, consistency=EVENTUAL, node="a"),
        read(3, None, (40, 50), position=3, consistency=EVENTUAL, node="b"),
    ]
    assert promises(*history) == {snapshots.PROMISE}


def test_a_read_of_a_write_after_its_position() -> None:
    history = [
        write(1, 1, (0, 10), position=3),
        read(2, 1, (20, 30), position=2, consistency=EVENTUAL),
    ]
    assert promises(*history) == {snapshots.PROMISE}


def test_an_explanation_leaves_out_what_does_not_matter() -> None:
    noise = [write(9, f"n{i}", (i, i + 1), position=i + 1) for i in range(500)]
    lost = write(1, 1, (600, 610), position=600)
    replaced = write(1, 2, (620, 630), position=601)
    seen = [read(3, 2, (640 + i, 641 + i), position=601) for i in range(0, 50, 2)]
    stale = read(2, 1, (700, 710), position=601)
    reported = list(linearizability.check([*noise, lost, replaced, *seen, stale]))
    assert [violation.operations for violation in reported] == [[lost, replaced, stale]]
