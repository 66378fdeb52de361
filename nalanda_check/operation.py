"""One operation of a client, as a line of a history has it."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

Value: TypeAlias = str | int | None
"""What a chunk holds; `None` where there is no such chunk."""

NEVER = math.inf
"""The completion of an operation whose outcome is unknown: it may take effect at any later time."""


class Op(StrEnum):
    WRITE = "write"
    DELETE = "delete"
    READ = "read"
    SEARCH = "search"


class Consistency(StrEnum):
    STRONG = "strong"
    SESSION = "session"
    EVENTUAL = "eventual"


class Outcome(StrEnum):
    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation between two times of one clock, in nanoseconds.

    `position` is that of the response: for a write its own, for a read that of the state read.
    """

    line: int
    process: int
    op: Op
    key: str
    value: Value
    consistency: Consistency
    invoke_ns: int
    complete_ns: float
    outcome: Outcome
    position: int | None
    node: str | None
    epoch: int | None
    final: bool

    @property
    def changes(self) -> bool:
        """Return whether the operation is a write or a delete."""
        return self.op in {Op.WRITE, Op.DELETE}

    @property
    def acknowledged(self) -> bool:
        return self.outcome is Outcome.OK

    def __str__(self) -> str:
        """Return the operation as one line of an explanation."""
        absent = "absent" if self.value is None else self.value
        what = {Op.WRITE: f"= {self.value}", Op.DELETE: ""}.get(self.op, f"→ {absent}")
        where = "" if self.position is None else f" at position {self.position}"
        epoch = "" if self.epoch is None else f" in epoch {self.epoch}"
        node = "" if self.node is None else f" on {self.node}"
        end = "…" if self.complete_ns == NEVER else f"{self.complete_ns / 1e9:.6f}"
        return (
            f"line {self.line}: {self.invoke_ns / 1e9:.6f}–{end} s, process {self.process}:"
            f" {self.op} {self.key} {what}".rstrip()
            + f" ({self.outcome}, {self.consistency}){where}{epoch}{node}"
        )
