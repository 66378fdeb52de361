"""A short run of faults on this machine, and the refusals of a run that can't be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.__main__ import main

_FAULTS = ("pause-leader", "fail-database-over")


def test_two_rounds_are_sound(tmp_path: Path) -> None:
    folder = tmp_path / "rounds"
    options = ["--on-this-machine", "--nodes=2", "--lease-s=1", "--fault", *_FAULTS]
    done = subprocess.run(
        [sys.executable, "-m", "tests.cluster", folder, *options], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all: 2 rounds, 2 right" in done.stdout
    assert [path.name for path in sorted(folder.glob("*.jsonl"))] == [
        f"{number:04}-{name}.jsonl" for number, name in enumerate(_FAULTS)
    ]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "Network namespaces need root"),
        (["--on-this-machine", "--fault", "cut-leader-off"], "no fault cut-leader-off here"),
        (["--on-this-machine", "--fault", "jump-leader-clock"], "need a C compiler"),
    ],
    ids=["no root", "no network", "no compiler"],
)
def test_a_run_that_can_t_be_is_one_line(
    options: list[str],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["tests.cluster", str(tmp_path / "rounds"), *options])
    with pytest.raises(SystemExit):
        main()
    assert problem in capsys.readouterr().err
    assert not (tmp_path / "rounds").exists()
