"""`nalanda verify`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.options import JsonFlag
from cli.output.terminal import console, one_line
from cli.processes.options import DataDir
from core.backup.repository import ABOUT
from core.settings import Settings
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
    with errors.status("Verifying"):
        on_check = _progress_printer(errors)
        found = [
            _print_problem(line, as_json=as_json)
            for line in _problems(directory, data, full, on_check)
        ]
    if as_json:
        typer.echo(json.dumps({"sound": not found, "problems": found}))
    elif not found:
        typer.echo("All stored data is sound.")
    if found:
        raise typer.Exit(1)


def _problems(
    directory: Path | None, data: Path | None, full: bool, on_check: Callable[[str], None]
) -> Iterator[str]:
    if directory is not None:
        return backups.problems(directory, on_check=on_check)
    settings = Settings()
    place = data or settings.data_dir
    if data is None and settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        return database.problems_of_postgres(url, place, full=full, on_check=on_check)
    if (place / ABOUT).exists():  # --data names a directory of backups
        return backups.problems(place, on_check=on_check)
    return database.problems(place, full=full, on_check=on_check)


def _progress_printer(errors: Console) -> Callable[[str], None]:
    if not errors.is_terminal:
        return lambda _: None
    return lambda name: errors.print(f"checking {name}")


def _print_problem(line: str, *, as_json: bool) -> str:
    if not as_json:
        typer.echo(one_line(line, max_chars=_LINE_CHARS))
    return line
