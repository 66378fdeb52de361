"""The command: what it prints, and its exit status."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import nalanda_check
from nalanda_check.main import SOUND, UNREADABLE, VIOLATED, main

COMMAND = Path(sys.executable).with_name("nalanda-check")
PACKAGE = Path(nalanda_check.__file__).parent


def history(path: Path, *values: int) -> str:
    """Write one value after the other, and read the first of them in the end."""
    fields = {"process": 1, "key": "c1", "outcome": "ok", "op": "write"}
    operations = [
        {**fields, "value": v, "invoke_ns": 2 * i, "complete_ns": 2 * i + 1, "position": i + 1}
        for i, v in enumerate(values)
    ]
    last = {"op": "read", "value": values[0], "invoke_ns": 1000, "complete_ns": 1001, "final": True}
    operations.append({**fields, **last, "position": len(values)})
    path.write_text("".join(json.dumps(o) + "\n" for o in ({"history": 1}, *operations)))
    return str(path)


def test_a_sound_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = history(tmp_path / "a", 7)
    assert main([path]) == SOUND
    assert capsys.readouterr().out == f"{path}: sound: 2 operations, 1 keys, 1 processes\n"


def test_a_violation_is_shown_with_its_operations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = history(tmp_path / "a", 7, 8)
    assert main([history(tmp_path / "sound", 1), path]) == VIOLATED
    out = capsys.readouterr().out
    assert f"{path}: violated: 3 operations, 1 keys, 1 processes" in out
    assert "line 3: 0.000000–0.000000 s, process 1: write c1 = 8 (ok, strong) at position 2" in out
    assert "process 1: read c1 → 7 (ok, strong) at position 2" in out


def test_without_final_reads_the_summary_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a"
    path.write_text('{"history": 1}\n')
    assert main([str(path)]) == SOUND
    assert "no final reads" in capsys.readouterr().out


def test_an_unreadable_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing, broken = tmp_path / "missing", tmp_path / "broken"
    broken.write_text("{")
    assert main([str(missing), str(broken), history(tmp_path / "bad", 1, 2)]) == UNREADABLE
    assert capsys.readouterr().err.splitlines() == [
        f"{missing}: No such file or directory",
        f"{broken}: line 1, column 1: the last line is cut off: it has no line break.",
    ]


def test_the_command_is_installed(tmp_path: Path) -> None:
    command = [str(COMMAND), history(tmp_path / "a", 1, 2)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == VIOLATED


def test_it_imports_nothing_but_the_standard_library() -> None:
    allowed = {*sys.stdlib_module_names, "nalanda_check"}
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= allowed
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] in allowed
