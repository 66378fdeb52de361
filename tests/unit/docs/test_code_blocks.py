"""The code in the documentation parses, and its commands and options exist.

`tests/e2e/test_tutorial.py` and `tests/e2e/test_documentation.py` run them.
"""

import ast
import configparser
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from cli.application import COMMANDS, application
from tests.unit.docs.pages import PAGES, ROOT, Block, blocks, commands

_END_OF_COMMAND = {"|", ">", "&&", "&", ";"}
_BENCHMARKS = ROOT / "benchmarks" / "__main__.py"


def _parse_shell(code: str) -> None:
    subprocess.run(["bash", "-n"], input=code, text=True, check=True, capture_output=True)


def _parse_console(code: str) -> None:
    prompts = [line.removeprefix("$ ") for line in code.splitlines() if line.startswith("$ ")]
    assert prompts
    _parse_shell("\n".join(prompts))


def _parse_python(code: str) -> None:
    compile(code, "block", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def _parse_json(code: str) -> None:
    """Parse one document, or one on each line."""
    try:
        json.loads(code)
    except ValueError:
        for line in code.splitlines():
            json.loads(line)


def _show(code: str) -> None:
    assert code.strip()


PARSERS: dict[str, Callable[[str], object]] = {
    "sh": _parse_shell,
    "console": _parse_console,
    "python": _parse_python,
    "json": _parse_json,
    "ini": configparser.ConfigParser().read_string,
    "sql": _show,
    "text": _show,
    "": _show,
}


def _name(block: Block) -> str:
    return f"{block.page.relative_to(ROOT)}-{block.language}"


@pytest.mark.parametrize("block", list(blocks()), ids=_name)
def test_each_block_parses(block: Block) -> None:
    PARSERS[block.language](block.code)


def faults(command: str) -> Iterator[str]:
    """Yield what a call of `nalanda` or `make` names that does not exist."""
    words = shlex.split(command, comments=True)
    program, *words = takewhile(lambda word: word not in _END_OF_COMMAND, words)
    yield from (_nalanda_faults if program == "nalanda" else _make_faults)(words)


def _nalanda_faults(words: list[str]) -> Iterator[str]:
    if not words[0].islower():  # as in `nalanda COMMAND --help`
        return
    if words[0] not in {*COMMANDS, "--version", "--help"}:
        yield words[0]
        return
    root = get_command(application(words))
    assert isinstance(root, TyperGroup)
    command = root.commands.get(words[0], root)
    if isinstance(command, TyperGroup) and words[1:] and words[1].islower():
        if words[1] not in command.commands:
            yield " ".join(words[:2])
            return
        command = command.commands[words[1]]
    known = {"--help"}.union(*([*param.opts, *param.secondary_opts] for param in command.params))
    options = (word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word))
    yield from (option for option in options if option not in known)


def _make_faults(words: list[str]) -> Iterator[str]:
    verbs = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    benchmarks = re.findall(r'^    "(\w+)": \w+\.main', _BENCHMARKS.read_text(), re.MULTILINE)
    if words[0].islower() and words[0] not in verbs:
        yield words[0]
    for word in words[1:]:
        name, _, value = word.partition("=")
        if words[0] == "bench" and name == "ARGS" and value.split()[0] not in benchmarks:
            yield word


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_exists(page: Path) -> None:
    if page.name == "CHANGELOG.md":  # commands of earlier releases
        return
    found = {command: list(faults(command)) for command in commands(page.read_text())}
    assert {command: names for command, names in found.items() if names} == {}


def test_what_does_not_exist_is_found() -> None:
    page = """Text

    nalanda serve --hots 0.0.0.0     # --not-me
    $ nalanda library paint -x

```sh
nalanda search "a" \\
    -l notes --kk=3 | head --lines
make tset ARGS=x
```
and `make bench ARGS=nothing`, `make bench ARGS="memory million"`, `nalanda COMMAND --help`.
"""
    assert [list(faults(command)) for command in commands(page)] == [
        ["--kk"],
        ["tset"],
        ["--hots"],
        ["library paint"],
        ["ARGS=nothing"],
        [],
        [],
    ]
