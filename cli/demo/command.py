"""`nalanda demo`: the whole stack in one terminal, with a sample library and questions."""

from typing import Annotated

import typer

from cli.demo.corpus import CorpusUnreadable
from cli.demo.tour import Tour
from cli.interruption import INTERRUPTED
from cli.output.terminal import console
from cli.processes import session
from cli.processes.options import ApiPort, DataDir
from core.settings import Settings


def demo(
    once: Annotated[bool, typer.Option("--once", help="Exit after the last answer.")] = False,
    port: ApiPort = 8000,
    data: DataDir = None,
) -> None:
    """Run the whole stack, ingest Python's documentation, and ask five questions."""
    settings = Settings(data_dir=data or Settings().data_dir / "demo")
    out = console(markup=True)
    tour = Tour(out, once=once)
    try:
        outcome = session.run(settings, port, out, tour.run)
    except CorpusUnreadable as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if outcome is None and not tour.passed:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(0 if tour.passed else 1)
