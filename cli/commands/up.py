"""`nalanda up` and `nalanda temporal`: services on one machine, in one terminal."""

from typing import Annotated

import typer

from cli.output import terminal
from cli.processes import session
from cli.processes.console import print_places
from cli.processes.options import (
    FIRST_PORT,
    LAST_PORT,
    ApiPort,
    DataDir,
    ReaderCount,
    present_options,
)
from cli.processes.stack import TEMPORAL_PORT, TEMPORAL_UI_PORT, Stack
from core.settings import Settings


def up(port: ApiPort = 8000, data: DataDir = None, readers: ReaderCount = None) -> None:
    """Run Temporal, the API and a worker together, until Ctrl-C."""
    console = terminal.console(markup=True)

    async def run_until_interrupted(stack: Stack) -> None:
        console.print()
        print_places(console, session.addresses(stack))
        await session.wait_until_interrupted(console)

    settings = Settings(**present_options(data_dir=data, readers=readers))
    session.run(settings, port, console, run_until_interrupted)


def temporal(
    port: Annotated[
        int,
        typer.Option(
            help="The server's port, or the next free one; 0: any free port.",
            min=FIRST_PORT,
            max=LAST_PORT,
        ),
    ] = TEMPORAL_PORT,
    ui_port: Annotated[
        int,
        typer.Option(
            help="The Web UI's port, or the next free one; 0: any free port.",
            min=FIRST_PORT,
            max=LAST_PORT,
        ),
    ] = TEMPORAL_UI_PORT,
    data: DataDir = None,
) -> None:
    """Run a local Temporal server alone, configured for Nalanda."""
    console = terminal.console(markup=True)

    async def run_until_interrupted(stack: Stack) -> None:
        settings = stack.settings
        typer.echo(f"Temporal {settings.temporal_address}, Web UI {settings.temporal_ui_url}")
        await session.wait_until_interrupted(console)

    settings = Settings(data_dir=data) if data else Settings()
    session.run_temporal(settings, port, ui_port, console, run_until_interrupted)
