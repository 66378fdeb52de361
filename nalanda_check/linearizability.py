"""Strong reads and writes are linearizable: they happen at one moment each, in one order."""

from collections.abc import Iterable, Iterator

from nalanda_check.history import by_key
from nalanda_check.operation import Consistency, Operation, Outcome
from nalanda_check.registers import first_unorderable, shortest
from nalanda_check.violation import Violation

PROMISE = "linearizability"


def check(operations: Iterable[Operation]) -> Iterator[Violation]:
    """Yield a violation for each key whose strong operations have no order."""
    for key, of_key in by_key(filter(_is_ordered, operations)):
        if first_unorderable(of_key) is not None:
            summary = f"these operations on {key} happened in no order."
            yield Violation(PROMISE, summary, shortest(of_key))


def _is_ordered(operation: Operation) -> bool:
    """Return whether the operation is a write that may have happened, or a strong read."""
    if operation.changes:
        return operation.outcome is not Outcome.FAIL
    return operation.acknowledged and operation.consistency is Consistency.STRONG
