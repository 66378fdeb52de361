"""The search for an order in which the operations of one register are linearizable.

It is the just-in-time linearization of G. Lowe ("Testing for linearizability", 2017), which extends
the search of J. Wing and C. Gong ("Testing and verifying concurrent objects", 1993) by memory:
operations are given an effect only when one of them completes, and every configuration is visited
once. Operations on different keys are independent, so each key is searched for itself, as
A. Horn and D. Kroening ("Faster linearizability checking via P-compositionality", 2015) show.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from nalanda_check.operation import NEVER, Operation, Value

Configuration: TypeAlias = tuple[Value, int]
"""The register's value, and which pending operations have had their effect, a bit for each."""


def first_unorderable(operations: Iterable[Operation]) -> Operation | None:
    """Return the operation at whose completion no order is left; `None` for a sound register.

    Args:
        operations: of one key, without those that have failed. Reads have completed.

    Cost: O(n·c) for n operations and c configurations. Of k acknowledged writes that are pending at
    one time and that no read sees, c can be 2^k.
    """
    relevant = without_unobserved(operations)
    search = _Search(relevant)
    for time_ns, is_completion, index in _events(relevant):
        operation = relevant[index]
        if not is_completion:
            search.invoke(index, operation)
        elif time_ns != NEVER and not search.complete(index, operation):
            return operation
    return None


def without_unobserved(operations: Iterable[Operation]) -> list[Operation]:
    """Drop writes of unknown outcome that no read has seen, and end the others at their first read.

    An order with a write that is not read stays an order without it. A value that only one write
    has can't be read before that write has its effect.
    """
    present = list(operations)
    writers: dict[Value, int] = {}
    observed: dict[Value, list[float]] = {}
    for operation in present:
        if operation.changes:
            writers[operation.value] = writers.get(operation.value, 0) + 1
        else:
            observed.setdefault(operation.value, []).append(operation.complete_ns)
    relevant = []
    for operation in present:
        if not operation.changes or operation.complete_ns != NEVER:
            relevant.append(operation)
            continue
        later = [t for t in observed.get(operation.value, []) if t >= operation.invoke_ns]
        if not later:
            continue
        is_only = operation.value is not None and writers[operation.value] == 1
        relevant.append(replace(operation, complete_ns=min(later) if is_only else NEVER))
    return relevant


def _events(operations: Sequence[Operation]) -> list[tuple[float, bool, int]]:
    """Return invocations and completions by time; at one time invocations are first."""
    events: list[tuple[float, bool, int]] = []
    for index, operation in enumerate(operations):
        events.append((operation.invoke_ns, False, index))
        events.append((operation.complete_ns, True, index))
    return sorted(events)


class _Search:
    """All configurations that the events so far allow.

    Three rules keep them few, and none takes away the last order. A read has its effect as soon as
    the register has its value. A value that one write alone has is not replaced before its last
    read has begun. Of writes with one value and an unknown outcome, the first is as good as any.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._configurations: set[Configuration] = {(None, 0)}
        self._bits: dict[int, int] = {}
        self._free: list[int] = []
        self._writes: dict[int, Value] = {}
        self._unknown_writes: dict[Value, list[int]] = {}
        self._reads: dict[Value, int] = {}
        writers = Counter(op.value for op in operations if op.changes)
        self._reads_to_come: Counter[Value] = Counter(
            op.value
            for op in operations
            if not op.changes and op.value is not None and writers[op.value] == 1
        )

    def invoke(self, index: int, operation: Operation) -> None:
        bit = self._bits[index] = self._free.pop() if self._free else 1 << len(self._bits)
        value = operation.value
        if not operation.changes:
            self._invoke_read(bit, value)
        elif operation.complete_ns == NEVER:
            self._unknown_writes.setdefault(value, []).append(bit)
        else:
            self._writes[bit] = value

    def _invoke_read(self, bit: int, value: Value) -> None:
        self._reads_to_come[value] -= 1
        self._reads[value] = self._reads.get(value, 0) | bit
        self._configurations = {
            (state, effects | bit if state == value else effects)
            for state, effects in self._configurations
        }

    def complete(self, index: int, operation: Operation) -> bool:
        """Keep the configurations in which the operation has had its effect; return if any is."""
        bit = self._bits.pop(index)
        self._configurations = self._advance(bit)
        if operation.changes:
            del self._writes[bit]
        else:
            self._reads[operation.value] &= ~bit
        self._free.append(bit)
        return bool(self._configurations)

    def _advance(self, bit: int) -> set[Configuration]:
        visited = set(self._configurations)
        unexplored = list(self._configurations)
        advanced = set()
        while unexplored:
            state, effects = unexplored.pop()
            if effects & bit:
                advanced.add((state, effects & ~bit))
            elif self._reads_to_come[state] <= 0:
                after = set(self._successors(effects)) - visited
                visited |= after
                unexplored += after
        return advanced

    def _successors(self, effects: int) -> Iterator[Configuration]:
        """Yield the configurations that one more write makes."""
        for write, value in self._writes.items():
            if not effects & write:
                yield value, effects | write | self._reads.get(value, 0)
        for value, writes in self._unknown_writes.items():
            write = next((write for write in writes if not effects & write), 0)
            if write:
                yield value, effects | write | self._reads.get(value, 0)


def shortest(operations: Sequence[Operation]) -> list[Operation]:
    """Return operations that have no order, of which none can be left out.

    A write is left out together with the reads that may have seen it, so that the rest is a history
    that a sound register could have had if the whole is one.
    """
    rest = list(operations)
    size = math.ceil(len(rest) / 2)
    while True:
        before = len(rest)
        start = 0
        while start < len(rest):
            fewer = _without(rest, rest[start : start + size])
            if first_unorderable(fewer) is not None:
                rest = fewer
            else:
                start += size
        if size == 1 and len(rest) == before:
            return sorted(rest, key=lambda operation: operation.invoke_ns)
        size = max(1, size // 2)


def _without(operations: Sequence[Operation], dropped: Sequence[Operation]) -> list[Operation]:
    lines = {operation.line for operation in dropped}
    since: dict[Value, int] = {}
    for operation in dropped:
        if operation.changes:
            since[operation.value] = min(
                operation.invoke_ns, since.get(operation.value, operation.invoke_ns)
            )
    return [
        operation
        for operation in operations
        if operation.line not in lines
        and (operation.changes or operation.complete_ns < since.get(operation.value, math.inf))
    ]
