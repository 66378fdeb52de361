"""The writes that a value may come from, by position."""

import bisect
import math
from collections.abc import Iterable
from itertools import accumulate

from nalanda_check.operation import Operation, Outcome, Value


class Versions:
    """The writes and deletes of a history, but for those that have failed."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._writes: dict[tuple[str, Value], list[Operation]] = {}
        for operation in sorted(operations, key=lambda op: op.invoke_ns):
            if operation.changes and operation.outcome is not Outcome.FAIL:
                self._writes.setdefault((operation.key, operation.value), []).append(operation)
        self._invocations = {
            value: [write.invoke_ns for write in writes] for value, writes in self._writes.items()
        }
        self._latest = {
            value: list(accumulate(map(_greatest_position, writes), max))
            for value, writes in self._writes.items()
        }

    def position(self, read: Operation) -> int | None:
        """Return the position of the write that a read saw; `None` where it can't be known."""
        writes = self._writes.get((read.key, read.value), [])
        if read.value is None or len(writes) != 1:
            return None
        return writes[0].position if writes[0].acknowledged else None

    def latest(self, read: Operation) -> float:
        """Return the greatest position that the write which a read saw can have; 0 for none."""
        value = (read.key, read.value)
        if value not in self._writes:
            return 0
        began = bisect.bisect_right(self._invocations[value], read.complete_ns)
        return self._latest[value][began - 1] if began else 0


def _greatest_position(write: Operation) -> float:
    return math.inf if not write.acknowledged or write.position is None else write.position
