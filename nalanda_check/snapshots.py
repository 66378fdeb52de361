"""One position is one state: all nodes read the same there, namely the writes up to it."""

import bisect
from collections.abc import Iterable, Iterator, Sequence

from nalanda_check.history import by_key
from nalanda_check.operation import Operation
from nalanda_check.versions import Versions
from nalanda_check.violation import Violation

PROMISE = "one state for each position"


def check(operations: Iterable[Operation]) -> Iterator[Violation]:
    """Yield reads of any consistency that differ from each other or from the writes."""
    history = list(operations)
    versions = Versions(history)
    for _, of_key in by_key(op for op in history if op.acknowledged):
        reads = [op for op in of_key if not op.changes]
        yield from _differing(reads)
        writes = [op for op in of_key if op.changes]
        yield from _unlike_writes(reads, writes, versions)


def _differing(reads: Iterable[Operation]) -> Iterator[Violation]:
    first: dict[int | None, Operation] = {}
    for read in reads:
        other = first.setdefault(read.position, read)
        if other.value != read.value:
            summary = f"two reads at position {read.position} differ."
            yield Violation(PROMISE, summary, [other, read])


def _unlike_writes(
    reads: Iterable[Operation], writes: Iterable[Operation], versions: Versions
) -> Iterator[Violation]:
    """Yield reads of a version that is later than their position, or replaced before it."""
    ordered = sorted(writes, key=lambda op: op.position or 0)
    positions = [op.position or 0 for op in ordered]
    for read in reads:
        position = versions.position(read)
        if position is not None and position > (read.position or 0):
            write = ordered[bisect.bisect_left(positions, position)]
            summary = "a read saw a write of a later position than its own."
            yield Violation(PROMISE, summary, [write, read])
            continue
        replacing = _last(ordered, bisect.bisect_right(positions, read.position or 0))
        if replacing is not None and versions.latest(read) < (replacing.position or 0):
            summary = "a read at a position did not see the last write up to it."
            yield Violation(PROMISE, summary, [replacing, read])


def _last(writes: Sequence[Operation], count: int) -> Operation | None:
    return writes[count - 1] if count else None
