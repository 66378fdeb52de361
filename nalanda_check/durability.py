"""No acknowledged write is lost: the final reads see it, or a later write of its key."""

from collections.abc import Iterable, Iterator

from nalanda_check.history import by_key
from nalanda_check.operation import Operation
from nalanda_check.versions import Versions
from nalanda_check.violation import Violation

PROMISE = "durability"


def check(operations: Iterable[Operation]) -> Iterator[Violation]:
    """Yield a violation for each final read that sees less than what was acknowledged before it."""
    history = list(operations)
    versions = Versions(history)
    for _, of_key in by_key(history):
        acknowledged = [op for op in of_key if op.changes and op.acknowledged]
        for read in of_key:
            if not is_final(read):
                continue
            before = [op for op in acknowledged if op.complete_ns <= read.invoke_ns]
            last = max(before, key=lambda op: op.position or 0, default=None)
            if last is not None and versions.latest(read) < (last.position or 0):
                summary = "a write was acknowledged, and is not there in the end."
                yield Violation(PROMISE, summary, [last, read])


def is_final(operation: Operation) -> bool:
    return operation.final and operation.acknowledged and not operation.changes
