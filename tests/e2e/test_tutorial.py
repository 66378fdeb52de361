"""The tutorial's commands, run as they are written, print what it shows."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.stack import Stack
from tests.unit.docs.pages import ROOT

TUTORIAL = ROOT / "docs" / "tutorial.md"
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


def test_each_command_prints_what_is_shown(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        stack.start_all()
        folder = tmp_path / "nalanda"
        folder.mkdir()
        for command, shown in commands(TUTORIAL.read_text()):
            ended = stack.run(folder, "sh", "-ec", command)
            assert sorted(stable(ended.stdout + ended.stderr)) == sorted(stable(shown)), command


def stable(output: str) -> list[str]:
    """Return the lines without times, ids and the folder; stdout and stderr have no order."""
    lines = [line for line in output.splitlines() if line and not line.startswith(_IF_SLOW)]
    return [_VARIES.sub("…", line) for line in lines]
