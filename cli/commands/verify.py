"""`nalanda verify`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.options import JsonFlag
from cli.output.terminal import console, one_line
from cli.processes.options import DataDir, settings_with
from core.adapters.registry import engine_of
from core.backup.repository import ABOUT
from core.verification import backups, database

_LINE_CHARS = 1_000


def verify(
    directory: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]", help="Directory of backups to check, instead of the database."
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Compare the whole index, not a sample.")
    ] = False,
    data: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Check all stored data, and report what is damaged.

    Each problem is one line, and makes the exit status 1. The server may be running.
    """
    errors = console(stderr=True)
    state: dict[str, int | str] = {}

    def on_digest(position: int, digest: str) -> None:
        state.update(position=position, digest=digest)

    with errors.status("Verifying"):
        on_check = _progress_printer(errors)
        problems = [
            _print_problem(line, as_json=as_json)
            for line in _problems(directory, data, full, on_check, on_digest)
        ]
    if as_json:
        typer.echo(json.dumps({"sound": not problems, "problems": problems, **state}))
    elif not problems:
        typer.echo("All stored data is sound.")
    if state and not as_json:
        typer.echo("The digest at position {position} is {digest}.".format_map(state))
    if problems:
        raise typer.Exit(1)


def _problems(
    directory: Path | None,
    data: Path | None,
    full: bool,
    on_check: database.OnCheck,
    on_digest: database.OnDigest,
) -> Iterator[str]:
    if directory is not None:
        return backups.problems(directory, on_check=on_check)
    settings = settings_with(data)
    if settings.database_url is None and (settings.data_dir / ABOUT).exists():
        return backups.problems(settings.data_dir, on_check=on_check)  # --data names backups
    return database.problems(engine_of(settings), full=full, on_check=on_check, on_digest=on_digest)


def _progress_printer(errors: Console) -> Callable[[str], None]:
    if not errors.is_terminal:
        return lambda _: None
    return lambda name: errors.print(f"checking {name}")


def _print_problem(line: str, *, as_json: bool) -> str:
    if not as_json:
        typer.echo(one_line(line, max_chars=_LINE_CHARS))
    return line
