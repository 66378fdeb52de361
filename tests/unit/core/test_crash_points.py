"""Steps at which a crash test ends the process: the list of them, and what arms one."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import core
from core import crash_points

CORE = Path(core.__file__).parent

PROGRAM = """
from core import crash_points
for _ in range(5):
    crash_points.reach("commit.before")
    print("survived", flush=True)
"""


def names_in_the_code() -> set[str]:
    return {
        name
        for path in CORE.rglob("*.py")
        for name in re.findall(r'crash_points\.reach\(\s*"([^"]+)"', path.read_text())
    }


def test_the_lists_are_what_the_code_has() -> None:
    assert sorted(crash_points.STEPS + crash_points.COMMAND_STEPS) == sorted(names_in_the_code())


def test_without_the_variable_a_step_is_do_nothing() -> None:
    assert crash_points.reach is crash_points._do_nothing


@pytest.mark.parametrize(
    ("armed", "survived"), [("commit.before", 0), ("commit.before:3", 2), ("apply.after", 5)]
)
def test_the_process_ends_the_first_or_nth_time(armed: str, survived: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={crash_points.VARIABLE: armed},
        cwd=CORE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout.count("survived") == survived, ended.stderr
    assert ended.returncode == (0 if survived == 5 else -signal.SIGKILL)
