"""Positions are in the order of commits, one for each write, and epochs never go back."""

import heapq
from collections.abc import Iterable, Iterator
from itertools import pairwise

from nalanda_check.operation import Consistency, Operation
from nalanda_check.violation import Violation

ORDER = "order of positions"
REUSE = "one position for each write"
EPOCHS = "order of epochs"


def check(operations: Iterable[Operation]) -> Iterator[Violation]:
    acknowledged = [op for op in operations if op.acknowledged]
    writes = sorted((op for op in acknowledged if op.changes), key=lambda op: op.position or 0)
    yield from _reused(writes)
    yield from _old_epochs(writes)
    yield from _out_of_order(acknowledged)


def _reused(writes: Iterable[Operation]) -> Iterator[Violation]:
    for before, after in pairwise(writes):
        if before.position == after.position:
            summary = f"two writes have position {after.position}."
            yield Violation(REUSE, summary, [before, after])


def _old_epochs(writes: Iterable[Operation]) -> Iterator[Violation]:
    newest: Operation | None = None
    for write in writes:
        if write.epoch is None:
            continue
        if newest is not None and write.epoch < (newest.epoch or 0):
            summary = f"epoch {write.epoch} wrote after epoch {newest.epoch} had begun."
            yield Violation(EPOCHS, summary, [newest, write])
        else:
            newest = write


def _out_of_order(operations: Iterable[Operation]) -> Iterator[Violation]:
    """Yield operations that came after another one by the clock, and before it by position.

    A write comes after all that was read or written before it began. A strong read is not before
    any of it; a read of another consistency may be.
    """
    running: list[tuple[float, int, Operation]] = []
    latest: Operation | None = None
    for operation in sorted(operations, key=lambda op: op.invoke_ns):
        while running and running[0][0] < operation.invoke_ns:
            ended = heapq.heappop(running)[2]
            if latest is None or (ended.position or 0) > (latest.position or 0):
                latest = ended
        heapq.heappush(running, (operation.complete_ns, operation.line, operation))
        if latest is not None and _is_before(operation, latest.position or 0):
            summary = "the later operation has a position before that of the earlier one."
            yield Violation(ORDER, summary, [latest, operation])


def _is_before(operation: Operation, position: int) -> bool:
    mine = operation.position or 0
    if operation.changes:
        return mine <= position
    return operation.consistency is Consistency.STRONG and mine < position
