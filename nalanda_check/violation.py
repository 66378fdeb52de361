"""A promise that a history breaks, with the operations that show it."""

from collections.abc import Sequence
from dataclasses import dataclass

from nalanda_check.operation import Operation


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise; no operation can be left out of `operations`."""

    promise: str
    summary: str
    operations: Sequence[Operation]

    def __str__(self) -> str:
        lines = [f"{self.promise}: {self.summary}", *map(str, self.operations)]
        return "\n    ".join(lines)
