"""The tutorial's commands, run as they are written, print what it shows; the README's work."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.stack import NALANDA, Stack
from tests.unit.docs.pages import ROOT, blocks

TUTORIAL = ROOT / "docs" / "tutorial.md"
README_URL = "http://127.0.0.1:8000"
_BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_IF_SLOW = "Waiting for a worker"
_VARIES = re.compile(r"query-[\w-]+|\d{4}-\d\d-\d\d [\d:+]+|\d+ ms|(?<=[/\t])/\S*(?=/notes/)")


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Yield the commands of each block, and what the tutorial shows below them."""
    for kind, block in _BLOCK.findall(text):
        if kind == "sh":
            yield block, ""
            continue
        for part in block.split("$ ")[1:]:
            command, _, shown = part.partition("\n")
            yield command, shown


def test_the_tutorial_and_then_the_readme(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        stack.start_all()
        follow_the_tutorial(stack, tmp_path)
        call_as_in_the_readme(stack, tmp_path)


def follow_the_tutorial(stack: Stack, tmp_path: Path) -> None:
    """Run each command; each prints what is shown."""
    programs = os.pathsep.join([str(Path(NALANDA).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": programs, "NALANDA_API_URL": stack.api_url}
    folder = tmp_path / "nalanda"
    folder.mkdir()
    for command, shown in commands(TUTORIAL.read_text()):
        ended = subprocess.run(
            ["sh", "-ec", command],
            cwd=folder,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ended.returncode == 0, ended.stderr
        assert sorted(stable(ended.stdout + ended.stderr)) == sorted(stable(shown)), command


def call_as_in_the_readme(stack: Stack, tmp_path: Path) -> None:
    """Run the blocks for curl and the SDK against the stack."""
    code = {block.language: block.code for block in blocks() if block.page == ROOT / "README.md"}
    curl = "curl() { command curl -sS -o answers -w '%{http_code} ' \"$@\"; }\n"
    called = run(["sh", "-ec", curl + code["sh"].replace(README_URL, stack.api_url)], tmp_path)
    assert called.split() == ["201", "201", "201", "200", "200", "412", "200", "200", "204"]
    printed = run(
        [sys.executable, "-c", code["python"].replace(README_URL, stack.api_url)], tmp_path
    )
    assert printed.count("The harbour is nine fathoms deep.") == 3  # a hit, the answer, its quote


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True, timeout=120
    )
    return done.stdout


def stable(output: str) -> list[str]:
    """Return the lines without times, ids and the folder; stdout and stderr have no order."""
    lines = [line for line in output.splitlines() if line and not line.startswith(_IF_SLOW)]
    return [_VARIES.sub("…", line) for line in lines]
