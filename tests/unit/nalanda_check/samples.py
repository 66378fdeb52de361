"""Operations for histories of tests."""

from itertools import count
from typing import Any

from nalanda_check.main import violations
from nalanda_check.operation import NEVER, Consistency, Op, Operation, Outcome, Value

_LINES = count(2)


def operation(
    process: int, op: Op, value: Value, times: tuple[float, float], **more: Any
) -> Operation:
    fields: dict[str, Any] = {
        "line": next(_LINES),
        "key": "k",
        "consistency": Consistency.STRONG,
        "outcome": Outcome.OK,
        "position": None,
        "node": None,
        "epoch": None,
        "final": False,
        **more,
    }
    invoke_ns, complete_ns = times
    if fields["outcome"] is Outcome.UNKNOWN:
        complete_ns = NEVER
    return Operation(
        process=process,
        op=op,
        value=value,
        invoke_ns=int(invoke_ns),
        complete_ns=complete_ns,
        **fields,
    )


def write(process: int, value: Value, times: tuple[float, float], **more: Any) -> Operation:
    return operation(process, Op.WRITE, value, times, **more)


def delete(process: int, times: tuple[float, float], **more: Any) -> Operation:
    return operation(process, Op.DELETE, None, times, **more)


def read(process: int, value: Value, times: tuple[float, float], **more: Any) -> Operation:
    return operation(process, Op.READ, value, times, **more)


def promises(*history: Operation) -> set[str]:
    """Return the promises that a history breaks."""
    return {violation.promise for violation in violations(history)}
