"""`nalanda up` and `nalanda temporal`: what runs on one machine, in one terminal."""

import os
from typing import Annotated

import typer

from cli import temporal_server, terminal
from cli.processes import lock, session
from cli.processes.console import places
from cli.processes.options import DataDir
from cli.processes.ports import HOST, NoFreePort
from cli.processes.stack import Stack, choose_port
from core.settings import Settings


def up(
    port: Annotated[int, typer.Option(help="The API's port, or the next free one.")] = 8000,
    data: DataDir = None,
) -> None:
    """Run Temporal, the API and a worker together, until Ctrl-C."""
    console = terminal.console(markup=True)

    async def stay(stack: Stack) -> None:
        console.print()
        places(console, session.where(stack))
        await session.stay(console)

    session.run(Settings(data_dir=data) if data else Settings(), port, console, stay)


def temporal(
    port: Annotated[int, typer.Option(help="The server's port, or the next free one.")] = 7233,
    ui_port: Annotated[int, typer.Option(help="The Web UI's, or the next free one.")] = 8233,
    data: DataDir = None,
) -> None:
    """Run a local Temporal server alone, set up as Nalanda needs it."""
    settings = Settings(data_dir=data) if data else Settings()
    try:
        held = lock.acquire(settings.data_dir)
        port = choose_port(port, typer.echo)
        ui_port = choose_port(ui_port, typer.echo, promised=(port,))
        command = temporal_server.command(
            port=port,
            ui_port=ui_port,
            file=temporal_server.file_in(settings.data_dir),
            namespace=settings.temporal_namespace,
        )
    except (lock.InUse, NoFreePort, temporal_server.TemporalNotFound) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"Temporal {HOST}:{port}, Web UI http://{HOST}:{ui_port}")
    os.set_inheritable(held, True)  # the server takes this process over, and its lock with it
    os.execv(command[0], command)  # noqa: S606 - no shell is meant
