"""The search for an order, against all orders of small histories."""

from collections.abc import Sequence
from itertools import chain, combinations, permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from nalanda_check.operation import NEVER, Operation, Outcome, Value
from nalanda_check.registers import first_unorderable, shortest
from tests.unit.nalanda_check.samples import delete, read, write

VALUES = (1, 2, 3)


@st.composite
def registers(draw: st.DrawFn) -> list[Operation]:
    """Draw up to six operations at distinct and equal times, and values that may repeat."""
    history = []
    for process in range(draw(st.integers(1, 6))):
        began = draw(st.integers(0, 12))
        times = (began, began + draw(st.integers(0, 8)))
        match draw(st.sampled_from(["write", "read", "read", "delete"])):
            case "write":
                history.append(write(process, draw(st.sampled_from(VALUES)), times, **end(draw)))
            case "delete":
                history.append(delete(process, times, **end(draw)))
            case _:
                history.append(read(process, draw(st.sampled_from([None, *VALUES])), times))
    return history


def end(draw: st.DrawFn) -> dict[str, Outcome]:
    return {"outcome": draw(st.sampled_from([Outcome.OK, Outcome.OK, Outcome.UNKNOWN]))}


def has_order(history: Sequence[Operation]) -> bool:
    """Try all orders, and which of the unknown operations happened."""
    unknown = [op for op in history if op.complete_ns == NEVER]
    certain = [op for op in history if op.complete_ns != NEVER]
    chosen = chain.from_iterable(combinations(unknown, n) for n in range(len(unknown) + 1))
    return any(
        is_sound(order) for happened in chosen for order in permutations([*certain, *happened])
    )


def is_sound(order: Sequence[Operation]) -> bool:
    state: Value = None
    began = -1.0
    for operation in order:
        if operation.complete_ns < began:
            return False
        began = max(began, operation.invoke_ns)
        if operation.changes:
            state = operation.value
        elif operation.value != state:
            return False
    return True


@settings(max_examples=200, deadline=None)
@given(registers())
def test_an_order_is_neither_missed_nor_invented(history: list[Operation]) -> None:
    assert (first_unorderable(history) is None) is has_order(history)


@settings(max_examples=60, deadline=None)
@given(registers())
def test_no_operation_of_an_explanation_can_be_left_out(history: list[Operation]) -> None:
    if first_unorderable(history) is None:
        return
    explanation = shortest(history)
    assert not has_order(explanation)
    for reading in (op for op in explanation if not op.changes):
        assert has_order([op for op in explanation if op is not reading])


def test_a_read_may_see_a_write_that_begins_as_it_ends() -> None:
    seen = [write(1, 2, (0, 0), outcome=Outcome.UNKNOWN), read(2, 2, (0, 0))]
    assert first_unorderable(seen) is None


def test_many_concurrent_writes_of_unknown_outcome_have_an_order() -> None:
    unknown = [write(i, i, (0, 0), outcome=Outcome.UNKNOWN) for i in range(30)]
    unknown += [delete(40 + i, (0, 0), outcome=Outcome.UNKNOWN) for i in range(20)]
    reads = [read(100, None if i % 2 else i // 2, (10 * i + 10, 10 * i + 15)) for i in range(40)]
    assert first_unorderable([*unknown, *reads]) is None
