"""Ctrl-C while the modules of the command are loaded."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.interruption import INTERRUPTED, end_at_ctrl_c
from tests.waiting import until

COMMAND = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job inherits SIG_IGN
runpy.run_module("cli", run_name="__main__")
"""
NEVER_LOADED = """
import pathlib, time
pathlib.Path("loading").touch()
try:
    time.sleep(60)
except BaseException as error:  # as some packages do
    raise ImportError("This package is damaged.") from error
"""


@pytest.mark.parametrize("module", ["typer", "httpx"])
def test_it_ends_without_a_word(module: str, tmp_path: Path) -> None:
    (tmp_path / f"{module}.py").write_text(NEVER_LOADED)
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, "library", "list"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        until((tmp_path / "loading").exists, 60)
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=60)
    assert (process.returncode, output) == (INTERRUPTED, (b"", b""))


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN])
def test_the_handler_is_restored(handler: signal.Handlers) -> None:
    before = signal.signal(signal.SIGINT, handler)
    try:
        with end_at_ctrl_c():
            ignores = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is handler
        assert ignores == (handler is signal.SIG_IGN)
    finally:
        signal.signal(signal.SIGINT, before)
