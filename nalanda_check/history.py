"""Histories read from JSON Lines: a header, then one line for each operation."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nalanda_check.operation import NEVER, Consistency, Op, Operation, Outcome

FORMAT = 1
_REQUIRED = ("process", "op", "key", "value", "invoke_ns", "complete_ns", "outcome")
_OPTIONAL = ("consistency", "position", "node", "epoch", "final")
_FIELDS = frozenset((*_REQUIRED, *_OPTIONAL))


class Unreadable(Exception):
    """A file that is no history, with the place of the first fault."""

    def __init__(self, reason: str, line: int, column: int = 1) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")


def read(path: Path) -> list[Operation]:
    """Return the operations of a file, in the order of its lines.

    Raises:
        Unreadable: the file is no history.
        OSError: the file can't be read.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise Unreadable("it is not UTF-8.", before.count(b"\n") + 1, column) from error
    return parse(text)


def parse(text: str) -> list[Operation]:
    """Return the operations of a history's text.

    Raises:
        Unreadable: the text is no history.
    """
    lines = text.split("\n")
    if lines.pop():
        raise Unreadable("the last line is cut off: it has no line break.", len(lines) + 1)
    if not lines:
        raise Unreadable(f'a history begins with {{"history": {FORMAT}}}.', 1)
    header = _object(lines[0], 1)
    if header.get("history") != FORMAT or header["history"] is True:
        raise Unreadable(f'a history begins with {{"history": {FORMAT}}}.', 1)
    operations = [_operation(line, number) for number, line in enumerate(lines[1:], 2)]
    _check_order(operations)
    return operations


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is not JSON: {error.msg}.", number, error.colno) from error
    except RecursionError as error:
        raise Unreadable("it is nested too deeply.", number) from error
    if not isinstance(value, dict):
        raise Unreadable("it is not an object.", number)
    return value


def _operation(line: str, number: int) -> Operation:
    fields = _object(line, number)
    for name in _REQUIRED:
        if name not in fields:
            raise Unreadable(f"{name!r} is missing.", number)
    for name in fields.keys() - _FIELDS:
        raise Unreadable(f"{name!r} is not a field of an operation.", number, _column(line, name))
    try:
        return _build(fields, number)
    except _Invalid as error:
        raise Unreadable(f"{error.reason}.", number, _column(line, error.field)) from error


class _Invalid(Exception):
    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


def _build(fields: dict[str, Any], number: int) -> Operation:
    op: Op = _choice(fields, "op", Op)
    outcome: Outcome = _choice(fields, "outcome", Outcome)
    fields.setdefault("consistency", Consistency.STRONG.value)
    invoke_ns = _integer(fields, "invoke_ns")
    complete_ns = _integer(fields, "complete_ns", optional=outcome is Outcome.UNKNOWN)
    if complete_ns is not None and complete_ns < invoke_ns:
        raise _Invalid("complete_ns", "an operation completes before it is invoked")
    position = _integer(fields, "position", optional=True)
    if position is None and outcome is Outcome.OK:
        raise _Invalid("outcome", "an operation that is ok has the position of its response")
    final = fields.get("final", False)
    if not isinstance(final, bool):
        raise _Invalid("final", "'final' is neither true nor false")
    return Operation(
        line=number,
        process=_integer(fields, "process"),
        op=op,
        key=_text(fields, "key"),
        value=_value(fields, op),
        consistency=_choice(fields, "consistency", Consistency),
        invoke_ns=invoke_ns,
        complete_ns=NEVER if outcome is Outcome.UNKNOWN or complete_ns is None else complete_ns,
        outcome=outcome,
        position=position,
        node=_text(fields, "node") if fields.get("node") is not None else None,
        epoch=_integer(fields, "epoch", optional=True),
        final=final,
    )


def _choice(fields: dict[str, Any], name: str, choices: Any) -> Any:
    try:
        return choices(fields[name])
    except ValueError as error:
        names = ", ".join(choice.value for choice in choices)
        raise _Invalid(name, f"{name!r} is none of {names}") from error


def _integer(fields: dict[str, Any], name: str, *, optional: bool = False) -> Any:
    value = fields.get(name)
    if value is None and optional:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Invalid(name, f"{name!r} is not an integer")
    return value


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise _Invalid(name, f"{name!r} is not a string")
    return value


def _value(fields: dict[str, Any], op: Op) -> str | int | None:
    value = fields["value"]
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise _Invalid("value", "'value' is neither a string nor an integer nor null")
    if (value is None) is not (op is Op.DELETE) and op in {Op.WRITE, Op.DELETE}:
        raise _Invalid("value", "a write has a value, and a delete has null")
    return value


def _check_order(operations: Iterable[Operation]) -> None:
    """Check that each process does one operation after the other."""
    last: dict[int, Operation] = {}
    for operation in operations:
        before = last.get(operation.process)
        if before is not None and operation.invoke_ns < _end(before):
            raise Unreadable(
                f"process {operation.process} begins before its operation in line {before.line}"
                " has ended.",
                operation.line,
            )
        last[operation.process] = operation


def _end(operation: Operation) -> float:
    """Return when a process went on: an unknown outcome says no more than its beginning."""
    return operation.invoke_ns if operation.complete_ns == NEVER else operation.complete_ns


def _column(line: str, field: str) -> int:
    return line.find(json.dumps(field)) + 1 or 1


def by_key(operations: Iterable[Operation]) -> Iterator[tuple[str, list[Operation]]]:
    """Yield the operations of each key."""
    keys: dict[str, list[Operation]] = {}
    for operation in operations:
        keys.setdefault(operation.key, []).append(operation)
    yield from keys.items()
