"""Files that are no history, and the place of the fault in each."""

import json
from pathlib import Path

import pytest

from nalanda_check.history import Unreadable, parse, read
from nalanda_check.operation import NEVER, Consistency

HEADER = '{"history": 1}\n'
WRITE = {
    "process": 1,
    "op": "write",
    "key": "c1",
    "value": 1,
    "invoke_ns": 10,
    "complete_ns": 20,
    "outcome": "ok",
    "position": 1,
}


def line(**more: object) -> str:
    return json.dumps({**WRITE, **more}) + "\n"


def test_a_line_is_an_operation() -> None:
    text = HEADER + line() + line(invoke_ns=20, complete_ns=30, consistency="session", node="a")
    first, second = parse(text)
    assert (first.line, first.consistency, first.node) == (2, Consistency.STRONG, None)
    assert (second.line, second.consistency, second.node) == (3, Consistency.SESSION, "a")


def test_an_unknown_outcome_never_completes() -> None:
    [operation] = parse(HEADER + line(outcome="unknown", position=None))
    assert operation.complete_ns == NEVER


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'line 1, column 1: a history begins with {"history": 1}.'),
        (line(), 'line 1, column 1: a history begins with {"history": 1}.'),
        ('{"history": true}\n', 'line 1, column 1: a history begins with {"history": 1}.'),
        (HEADER + line()[:40], "line 2, column 1: the last line is cut off"),
        (HEADER + "{]\n", "line 2, column 2: it is not JSON"),
        (HEADER + "[1]\n", "line 2, column 1: it is not an object."),
        (HEADER + "[" * 100_000 + "\n", "line 2, column 1: it is nested too deeply."),
        (HEADER + '{"process": 1}\n', "line 2, column 1: 'op' is missing."),
        (HEADER + line(op="append"), "line 2, column 16: 'op' is none of write, delete, read"),
        (HEADER + line(op=["write"]), "line 2, column 16: 'op' is none of write, delete, read"),
        (HEADER + line(outcome="maybe"), "'outcome' is none of ok, fail, unknown."),
        (HEADER + line(consistency="linear"), "'consistency' is none of strong, session, eventual"),
        (HEADER + line(process="1"), "line 2, column 2: 'process' is not an integer."),
        (HEADER + line(process=True), "line 2, column 2: 'process' is not an integer."),
        (HEADER + line(key=7), "'key' is not a string."),
        (HEADER + line(value=1.5), "'value' is neither a string nor an integer nor null."),
        (HEADER + line(value=None), "a write has a value, and a delete has null."),
        (HEADER + line(op="delete"), "a write has a value, and a delete has null."),
        (HEADER + line(position=None), "an operation that is ok has the position"),
        (HEADER + line(complete_ns=None), "'complete_ns' is not an integer."),
        (HEADER + line(complete_ns=9), "an operation completes before it is invoked."),
        (HEADER + line(final=1), "'final' is neither true nor false."),
        (HEADER + line(colour="red"), "'colour' is not a field of an operation."),
        (HEADER + line() + line(invoke_ns=19), "line 3, column 1: process 1 begins before"),
    ],
)
def test_the_place_of_a_fault(text: str, message: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        parse(text)
    assert message in str(refusal.value)


def test_the_place_of_a_byte_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(HEADER.encode() + b'{"key": "\xff"}\n')
    with pytest.raises(Unreadable, match=r"line 2, column 10: it is not UTF-8\."):
        read(path)
