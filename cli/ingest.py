"""`nalanda ingest`."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import Progress

from cli import files
from cli.connection import connect
from cli.options import LibraryOption
from cli.terminal import can_overwrite, console, one_line
from nalanda import Library, Nalanda, NotFoundError, PayloadTooLargeError, ValidationError

HASH = "content_sha256"
"""The document's metadata key by which an unchanged file is known."""

Outcome = Literal["added", "changed", "unchanged", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("added", "changed", "unchanged", "failed")


def ingest(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            exists=True,
            show_default=False,
            help="Files, and folders with .txt, .md, .markdown and .rst files.",
        ),
    ],
    library: LibraryOption,
) -> None:
    """Put text and Markdown files and folders into a library.

    The library is created if it is missing. Run it again after an interruption or a change: a
    file is known by its absolute path, and one that has not changed is left alone.
    """
    with connect() as client:
        counts = Ingestion(client, _ensured(client, library), console(stderr=True)).run(paths)
    said = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES)
    typer.echo(f"Library {library}: {said}.")
    if counts["failed"]:
        raise typer.Exit(1)


class Ingestion:
    """Files on their way into a library; the bar and what failed go to `errors`."""

    def __init__(self, client: Nalanda, library: Library, errors: Console) -> None:
        self._client = client
        self._library_id = library.id
        self._errors = errors
        self._counts: Counter[Outcome] = Counter()

    def run(self, paths: Sequence[Path]) -> Counter[Outcome]:
        """How many files had which outcome."""
        found = list(files.find(paths, self._unlisted))
        hidden = not can_overwrite(self._errors)
        bar = Progress(console=self._errors, transient=True, disable=hidden)
        with bar:
            for path in bar.track(found, description="Ingesting"):
                self._ingest(path)
        return self._counts

    def _ingest(self, path: Path) -> None:
        try:
            self._count(_brought(self._client, self._library_id, files.read(path)), path)
        except OSError as error:
            self._count("failed", path, str(error.strerror))
        except UnicodeDecodeError:
            self._count("failed", path, "is not UTF-8 text")
        except (PayloadTooLargeError, ValidationError) as error:
            self._count("failed", path, str(error))

    def _unlisted(self, error: OSError) -> None:
        self._count("failed", Path(error.filename), str(error.strerror))

    def _count(self, outcome: Outcome, path: Path, why: str | None = None) -> None:
        self._counts[outcome] += 1
        if why is not None:
            self._errors.print(one_line(f"{path}: {why}", max_chars=1000))
        elif not can_overwrite(self._errors):
            typer.echo(f"{outcome}\t{one_line(str(path), max_chars=1000)}")


def _ensured(client: Nalanda, name: str) -> Library:
    try:
        return client.libraries.get(name)
    except NotFoundError:
        return client.libraries.create(name)


def _brought(client: Nalanda, library_id: str, file: files.TextFile) -> Outcome:
    """Create or replace the file's document, unless it is there as the file is."""
    known = _known_hash(client, library_id, file.id)
    if known == file.content_hash:
        return "unchanged"
    client.documents.replace(
        library_id,
        file.id,
        title=file.title,
        source=file.source,
        metadata={HASH: file.content_hash},
        text=file.text,
    )
    return "added" if known is None else "changed"


def _known_hash(client: Nalanda, library_id: str, document_id: str) -> str | None:
    """That of the document's last version; empty if it has none, `None` if it is not there."""
    try:
        document = client.documents.get(library_id, document_id)
    except NotFoundError:
        return None
    return str(document.metadata.get(HASH, ""))
