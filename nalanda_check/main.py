"""The command `nalanda-check`."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from nalanda_check import durability, linearizability, positions, sessions, snapshots
from nalanda_check.history import Unreadable, read
from nalanda_check.operation import Operation
from nalanda_check.violation import Violation

SOUND, VIOLATED, UNREADABLE = 0, 1, 2
CHECKS: Sequence[Callable[[Iterable[Operation]], Iterator[Violation]]] = (
    linearizability.check,
    sessions.check,
    durability.check,
    positions.check,
    snapshots.check,
)
_SHOWN = 3
"""Violations of one promise that are printed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check each file; return 0 if all are sound, 1 for a violation, 2 for an unreadable file."""
    parser = argparse.ArgumentParser(
        prog="nalanda-check",
        description="Check histories of clients of Nalanda: strong operations are linearizable,"
        " sessions never go back, nothing acknowledged is lost, one position is one state.",
        epilog="Exit status: 0 sound, 1 violated, 2 not readable.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JSON Lines")
    options = parser.parse_args(arguments)
    return max(_report(path) for path in options.files)


def violations(operations: Iterable[Operation]) -> list[Violation]:
    """Return all violations of a history."""
    history = list(operations)
    return [violation for check in CHECKS for violation in check(history)]


def _report(path: Path) -> int:
    try:
        history = read(path)
    except Unreadable as error:
        print(f"{path}: {error}", file=sys.stderr)
        return UNREADABLE
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)
        return UNREADABLE
    broken = violations(history)
    print(f"{path}: {'violated' if broken else 'sound'}: {_summary(history)}")
    shown: dict[str, int] = {}
    for violation in broken:
        shown[violation.promise] = shown.get(violation.promise, 0) + 1
        if shown[violation.promise] <= _SHOWN:
            print(f"  {violation}")
    for promise, count in shown.items():
        if count > _SHOWN:
            print(f"  {promise}: {count - _SHOWN} more")
    return VIOLATED if broken else SOUND


def _summary(history: Sequence[Operation]) -> str:
    keys = len({operation.key for operation in history})
    processes = len({operation.process for operation in history})
    text = f"{len(history)} operations, {keys} keys, {processes} processes"
    if not any(map(durability.is_final, history)):
        text += "; no final reads, so that lost writes at the end can't be seen"
    return text
