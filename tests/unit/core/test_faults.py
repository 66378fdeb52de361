"""Steps at which a crash test ends the process: the list of them, and what arms one."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import core
from core import faults

CORE = Path(core.__file__).parent

PROGRAM = """
from core import faults
for _ in range(5):
    faults.reached("commit.before")
    print("survived", flush=True)
"""


def names_in_the_code() -> set[str]:
    return {
        name
        for path in CORE.rglob("*.py")
        for name in re.findall(r'faults\.reached\(\s*"([^"]+)"', path.read_text())
    }


def test_the_lists_are_what_the_code_has() -> None:
    assert sorted(faults.STEPS + faults.COMMAND_STEPS) == sorted(names_in_the_code())


def test_without_the_variable_a_step_is_nothing() -> None:
    assert faults.reached is faults._nothing


@pytest.mark.parametrize(
    ("armed", "survived"), [("commit.before", 0), ("commit.before:3", 2), ("apply.after", 5)]
)
def test_the_process_ends_the_first_or_nth_time(armed: str, survived: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={faults.VARIABLE: armed},
        cwd=CORE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout.count("survived") == survived, ended.stderr
    assert ended.returncode == (0 if survived == 5 else -signal.SIGKILL)
