"""The stack in one terminal, around a task: shared by `up` and `demo`."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import typer
from rich.console import Console

from cli.processes import lock, stack
from cli.processes.announcement import announce
from cli.processes.console import Reporter
from cli.processes.lock import InUse
from cli.processes.ports import NoFreePort, listen, port_of
from cli.processes.stack import Stack
from cli.processes.supervision.logs import LogFile
from cli.processes.supervision.supervisor import PortTaken, ServiceFailed, Supervisor
from cli.temporal_server import TemporalNotFound
from core.settings import Settings
from core.tracing.exporting import tracing_notice

T = TypeVar("T")
PLANS = 10
"""Attempts to choose ports, since another process may bind one in the meantime."""


def run(
    settings: Settings, port: int, console: Console, work: Callable[[Stack], Awaitable[T]]
) -> T | None:
    """Run the services while `work` runs; return its result, or `None` after a signal.

    The API's socket listens before the API starts, so no other process can take its port.

    Raises:
        typer.Exit: a service failed; its error is on stderr.
        StorageError: the data directory can't be used.
    """
    reporter = Reporter(console)
    with _report_failures(reporter, stack.log_of(settings)), ExitStack() as resources:
        if stack.starts_temporal(settings):
            resources.enter_context(lock.lock_directory(settings.data_dir))
        log = resources.enter_context(closing(LogFile(stack.log_of(settings))))
        listener = resources.enter_context(listen(port))
        stack.report_port(port, port_of(listener), reporter.notice)
        if (notice := tracing_notice()) is not None:  # the services' own lines are in the log
            reporter.notice(notice)
        resources.enter_context(announce(settings.data_dir, stack.url_of(listener)))
        return _supervise(
            lambda: stack.plan(settings, listener=listener, notice=reporter.notice),
            work,
            log,
            reporter,
        )


def run_temporal(
    settings: Settings,
    port: int,
    ui_port: int,
    console: Console,
    work: Callable[[Stack], Awaitable[T]],
) -> T | None:
    """Run a Temporal server alone, as `run` does a whole stack."""
    reporter = Reporter(console)

    def plan() -> Stack:
        connected, service = stack.local_temporal(
            settings, reporter.notice, port=port, ui_port=ui_port
        )
        return Stack((service,), connected, log.path)

    with (
        _report_failures(reporter, stack.log_of(settings)),
        lock.lock_directory(settings.data_dir),
        closing(LogFile(stack.log_of(settings))) as log,
    ):
        return _supervise(plan, work, log, reporter)


def _supervise(
    plan: Callable[[], Stack],
    work: Callable[[Stack], Awaitable[T]],
    log: LogFile,
    reporter: Reporter,
) -> T | None:
    """Run the plan; if another process took one of its ports, plan again with others."""
    for _ in range(PLANS - 1):
        planned = plan()
        with suppress(PortTaken):
            return asyncio.run(_run(planned, work, log, reporter))
        reporter.close()
    return asyncio.run(_run(plan(), work, log, reporter))


async def _run(
    planned: Stack, work: Callable[[Stack], Awaitable[T]], log: LogFile, reporter: Reporter
) -> T | None:
    return await Supervisor(planned.services, log, reporter).run(lambda: work(planned))


@contextmanager
def _report_failures(reporter: Reporter, log: Path) -> Iterator[None]:
    """Print the error of a service.

    Raises:
        typer.Exit: a service failed.
    """
    try:
        yield
    except (NoFreePort, InUse, TemporalNotFound) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except ServiceFailed as error:
        reporter.close()
        typer.echo(f"{error}. Its full output is in {display_path(log)}; the last lines:", err=True)
        for line in error.tail:
            typer.echo(f"    {line}", err=True)
        raise typer.Exit(1) from None
    finally:
        reporter.close()


def addresses(planned: Stack) -> list[tuple[str, str]]:
    """Return the names and addresses that a person may want to open."""
    settings = planned.settings
    url = settings.api_url
    rows = [("API", url), ("page", f"{url}/"), ("API docs", f"{url}/docs")]
    if settings.temporal_ui_url:
        rows.append(("Temporal UI", settings.temporal_ui_url))
    rows.append(("Temporal", settings.temporal_address))
    return [*rows, ("data", display_path(settings.data_dir)), ("log", display_path(planned.log))]


def display_path(path: Path) -> str:
    """Return the path, relative if it is below the working directory."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


async def wait_until_interrupted(console: Console) -> None:
    """Wait for cancellation."""
    console.print("\n  [dim]Ctrl-C stops everything.[/dim]")
    await asyncio.Event().wait()
