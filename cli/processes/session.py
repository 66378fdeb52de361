"""The stack in one terminal, around a piece of work: what `up` and `demo` share."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import typer
from rich.console import Console

from cli.processes import stack
from cli.processes.console import Reporter
from cli.processes.lock import InUse
from cli.processes.logs import LogFile
from cli.processes.ports import NoFreePort
from cli.processes.stack import Stack
from cli.processes.supervisor import ServiceFailed, Supervisor
from cli.temporal_server import TemporalNotFound
from core.settings import Settings

T = TypeVar("T")


def run(
    settings: Settings, port: int, console: Console, work: Callable[[Stack], Awaitable[T]]
) -> T | None:
    """The work's result, or None where a signal ended it; the services run as long as it does.

    Raises:
        typer.Exit: the services could not be run, and the terminal says why.
    """
    reporter = Reporter(console)
    try:
        planned = stack.plan(settings, port=port, notice=reporter.notice)
        with closing(LogFile(planned.log)) as log:
            supervisor = Supervisor(planned.services, log, reporter)
            return asyncio.run(supervisor.run(lambda: work(planned)))
    except (NoFreePort, InUse, TemporalNotFound) as error:
        typer.echo(str(error), err=True)
    except ServiceFailed as error:
        reporter.close()
        typer.echo(f"{error}. All it printed is in {shown(planned.log)}; the last lines:", err=True)
        for line in error.tail:
            typer.echo(f"    {line}", err=True)
    finally:
        reporter.close()
    raise typer.Exit(1)


def where(planned: Stack) -> list[tuple[str, str]]:
    """What a person may want to open, each with its place."""
    settings = planned.settings
    rows = [("API", settings.api_url), ("API docs", f"{settings.api_url}/docs")]
    if settings.temporal_ui_url:
        rows.append(("Temporal UI", settings.temporal_ui_url))
    rows.append(("Temporal", settings.temporal_address))
    return [*rows, ("data", shown(settings.data_dir)), ("log", shown(planned.log))]


def shown(path: Path) -> str:
    """Relative to the working directory where it lies below it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


async def stay(console: Console) -> None:
    """Waits to be cancelled."""
    console.print("\n  [dim]Ctrl-C stops everything.[/dim]")
    await asyncio.Event().wait()
