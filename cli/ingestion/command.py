"""`nalanda ingest`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from cli.connection import connect
from cli.failures import advice
from cli.ingestion.errors import GO_ON, IngestionEnded
from cli.ingestion.finding import Finder
from cli.ingestion.interrupts import sigterm_interrupts
from cli.ingestion.kinds import SUFFIXES
from cli.ingestion.report import Report
from cli.ingestion.sending import Sender
from cli.options import LibraryOption
from cli.terminal import can_overwrite
from nalanda import ConflictError, Library, Nalanda, NalandaError, NotFoundError

INTERRUPTED = 130


def ingest(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            exists=True,
            readable=False,
            show_default=False,
            help=f"Files, and folders with {', '.join(SUFFIXES)} files.",
        ),
    ],
    library: LibraryOption,
) -> None:
    """Put text, Markdown and HTML files and folders into a library.

    The library is created if it is missing. Run it again after an interruption or a change: a
    file is known by its absolute path, and one that has not changed is left alone.
    """
    report = Report()
    with sigterm_interrupts(), connect() as client:
        known = _library(client, library)
        with _summed_up(report, library):
            _bring_in(client, library, known, paths, report)
    if not report.is_complete:
        raise typer.Exit(1)


def _bring_in(
    client: Nalanda, name: str, known: Library | None, paths: list[Path], report: Report
) -> None:
    files = list(Finder(report).find(paths))
    if not files:
        return
    sender = Sender(client, known or _create(client, name), report)
    bar = Progress(console=report.errors, transient=True, disable=not can_overwrite(report.errors))
    with bar:
        sender.send(bar.track(files, description="Ingesting"))


@contextmanager
def _summed_up(report: Report, library: str) -> Iterator[None]:
    """Print the summary, also after what ends the work early."""
    try:
        yield
    except KeyboardInterrupt:
        ended, status = f"Interrupted. {GO_ON}", INTERRUPTED
    except IngestionEnded as error:
        ended, status = f"nalanda: {error}", 1
    except NalandaError as error:
        ended, status = f"nalanda: {advice(error)} {GO_ON}", 1
    else:
        ended, status = "", 0
    for line in report.summary(library, with_pruned=False):
        typer.echo(line)
    if ended:
        report.say(ended)
        raise typer.Exit(status)


def _library(client: Nalanda, name: str) -> Library | None:
    try:
        return client.libraries.get(name)
    except NotFoundError:
        return None


def _create(client: Nalanda, name: str) -> Library:
    try:
        return client.libraries.create(name)
    except ConflictError:  # another run was quicker
        return client.libraries.get(name)
