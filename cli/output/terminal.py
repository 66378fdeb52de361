"""Output of the commands: readable on a terminal, one line per item elsewhere."""

import os
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import typer
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


_DUMB = {"", "dumb", "unknown"}
"""Values of TERM for a terminal without control codes; an unset TERM counts as one."""


def console(*, stderr: bool = False, markup: bool = False) -> Console:
    """Return a console that wraps lines only on a terminal.

    The console prints text literally unless `markup` is set.
    """
    color_system: Literal["auto"] | None = None if _is_dumb() else "auto"
    terminal = Console(
        stderr=stderr, markup=markup, highlight=False, emoji=False, color_system=color_system
    )
    terminal.soft_wrap = not terminal.is_terminal
    return terminal


def can_overwrite(console: Console) -> bool:
    """Return whether the output is a terminal with control codes, which can overwrite a line."""
    return console.is_terminal and not _is_dumb()


def _is_dumb() -> bool:
    return os.environ.get("TERM", "").lower() in _DUMB


def harmless(text: str) -> str:
    """Return foreign text with control characters replaced."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str, max_chars: int = 240) -> str:
    """Return the text on one line, shortened with an ellipsis."""
    line = harmless(" ".join(text.split()))
    return line if len(line) <= max_chars else f"{line[: max_chars - 1]}…"


def show_rows(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print columns at full width on a terminal, and tab-separated fields elsewhere."""
    texts = [[_cell(value) for value in row] for row in rows]
    out = console()
    if not out.is_terminal:
        for row in texts:
            typer.echo("\t".join(row))
        return
    widths = [max(map(cell_len, column)) for column in zip(headers, *texts, strict=True)]
    for number, row in enumerate([list(headers), *texts]):
        line = "  ".join(map(set_cell_size, row, widths)).rstrip()
        out.print(Text(line, style="" if number else "bold"), soft_wrap=True)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case _:
            return one_line(str(value))
