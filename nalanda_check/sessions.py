"""A session sees its own writes, and never goes back.

A process is a session; its eventual reads promise nothing, and are left out.
"""

from collections.abc import Iterable, Iterator

from nalanda_check.operation import Consistency, Operation
from nalanda_check.versions import Versions
from nalanda_check.violation import Violation

WRITES = "read-your-writes"
READS = "monotonic reads"


def check(operations: Iterable[Operation]) -> Iterator[Violation]:
    """Yield the first violation of each process and promise."""
    history = list(operations)
    versions = Versions(history)
    sessions: dict[int, _Session] = {}
    shown: set[tuple[int, str]] = set()
    for operation in history:
        if not operation.acknowledged or operation.consistency is Consistency.EVENTUAL:
            continue
        session = sessions.setdefault(operation.process, _Session(versions))
        violation = None if operation.changes else session.violation(operation)
        session.follow(operation)
        if violation is not None and (operation.process, violation.promise) not in shown:
            shown.add((operation.process, violation.promise))
            yield violation


class _Session:
    """The positions and versions of keys that a process has seen."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._positions: dict[str, Operation] = {}
        self._keys: dict[str, tuple[int, Operation]] = {}

    def follow(self, operation: Operation) -> None:
        """Remember an operation that later reads must not fall behind."""
        position = operation.position or 0
        promise = WRITES if operation.changes else READS
        before = self._positions.get(promise)
        if before is None or position > (before.position or 0):
            self._positions[promise] = operation
        version = position if operation.changes else self._versions.position(operation)
        if version is not None and version > self._keys.get(operation.key, (0, operation))[0]:
            self._keys[operation.key] = (version, operation)

    def violation(self, read: Operation) -> Violation | None:
        for promise, before in self._positions.items():
            if (read.position or 0) < (before.position or 0):
                summary = f"process {read.process} went back to an earlier position."
                return Violation(promise, summary, [before, read])
        version, latest = self._keys.get(read.key, (0, read))
        if self._versions.latest(read) >= version:
            return None
        promise = WRITES if latest.changes else READS
        summary = f"process {read.process} read an older version of {read.key}."
        return Violation(promise, summary, [latest, read])
