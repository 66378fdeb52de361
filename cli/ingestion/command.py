"""`nalanda ingest`."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import connect
from cli.ingestion.errors import GO_ON, IngestionEnded
from cli.ingestion.finding import Finder
from cli.ingestion.places import display_path
from cli.ingestion.report import Report
from cli.ingestion.run import Run
from cli.ingestion.watch import FolderWatch
from cli.interruption import INTERRUPTED, Interrupted, interruptible
from cli.options import LibraryOption
from cli.output.failures import advice
from core.domain.library import Language
from nalanda import Library, Nalanda, NalandaError, NotFoundError


def ingest(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            show_default=False,
            help="Files, or folders with documents, texts and source code.",
        ),
    ],
    library: LibraryOption,
    language: Annotated[
        Language | None,
        typer.Option(help="The language of a new library's texts. Default: auto, detected."),
    ] = None,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune", help="Delete the documents of files that are gone from the folders."
        ),
    ] = False,
    direct: Annotated[
        bool,
        typer.Option(
            "--direct", help="Send one file at a time from this process, without Temporal."
        ),
    ] = False,
    no_ignore: Annotated[
        bool, typer.Option("--no-ignore", help="Take what .gitignore files exclude, too.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on with what changes in the folders, until Ctrl-C.")
    ] = False,
) -> None:
    """Ingest files and folders into a library.

    A missing library is created. Run the command again after an interruption or a change: it
    identifies a file by its absolute path, and skips a file that has not changed.
    """
    _check_paths(paths, are_folders=prune)
    report = Report()
    with interruptible(), connect() as client:
        known = _library(client, library)
        _check_language(language, known)
        with _print_summary_at_end(report, library, with_pruned=prune):
            run = Run(
                client,
                library,
                language or Language.AUTO,
                report,
                known,
                direct=direct,
                prune=prune,
            )
            if watch:
                FolderWatch(run, paths, report, with_ignored=no_ignore).follow(library)
            finder = Finder(with_ignored=no_ignore)
            files = [file.path for file in finder.find(paths)]
            report.take(finder)
            run.ingest(finder, files, prune=prune)
    if not report.is_complete:
        raise typer.Exit(1)


def _check_paths(paths: list[Path], *, are_folders: bool) -> None:
    """Refuse paths that do not exist, and paths other than folders if folders are required.

    A path that cannot be examined for another reason is reported during ingestion.

    Raises:
        typer.BadParameter: a path is refused.
    """
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            raise typer.BadParameter(
                f"{display_path(path)} does not exist.", param_hint="PATH"
            ) from None
        except OSError:
            is_folder = False
        if are_folders and not is_folder:
            raise typer.BadParameter(
                f"{display_path(path)} is not a folder, and --prune takes nothing else.",
                param_hint="PATH",
            )


def _check_language(language: Language | None, known: Library | None) -> None:
    """Refuse another language than an existing library's.

    Raises:
        typer.BadParameter: the library has another language.
    """
    if known is not None and language not in {None, Language.AUTO, known.language}:
        raise typer.BadParameter(
            f"The library {known.name} has the language {known.language}; PATCH changes it.",
            param_hint="--language",
        )


@contextmanager
def _print_summary_at_end(report: Report, library: str, *, with_pruned: bool) -> Iterator[None]:
    """Print the summary, also after an error that ends the run."""
    try:
        yield
    except Interrupted:
        ended, status = f"Interrupted. {GO_ON}", INTERRUPTED
    except IngestionEnded as error:
        ended, status = f"nalanda: {error}", 1
    except NalandaError as error:
        if not report.counts:
            raise
        ended, status = f"nalanda: {advice(error)} {GO_ON}", 1
    else:
        ended, status = "", 0
    for line in report.summary(library, with_pruned=with_pruned):
        typer.echo(line)
    if ended:
        report.say(ended)
        raise typer.Exit(status)


def _library(client: Nalanda, name: str) -> Library | None:
    try:
        return client.libraries.get(name)
    except NotFoundError:
        return None
