"""The page with the help of every command."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from cli.application import COMMANDS, application

_WIDTH = 88
_ABOUT = """# Every command

The output of `nalanda COMMAND --help`. [The command line](command-line.md) explains the commands.
"""


def commands_page() -> str:
    """Return the page in Markdown."""
    parts = [_ABOUT]
    for name in COMMANDS:
        root = get_command(application([name]))
        assert isinstance(root, TyperGroup)
        for path, text in _helps(root.commands[name], f"nalanda {name}"):
            parts.append(f"## {path}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def _helps(command: Any, path: str) -> Iterator[tuple[str, str]]:
    with typer.Context(command, info_name=path, terminal_width=_WIDTH) as context:
        yield path, command.get_help(context)
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from _helps(below, f"{path} {name}")
