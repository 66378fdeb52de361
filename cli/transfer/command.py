"""`nalanda export` and `nalanda import`."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import PATIENT, connect
from cli.options import LibraryOption
from cli.output.progress import bar
from cli.transfer.exporting import check_model, documents_of, outline_of, records_of
from cli.transfer.formats import json_lines, parquet
from cli.transfer.importing import find_library, import_documents
from cli.transfer.rules import Rules
from cli.transfer.staging import Reader, Staging, open_staging
from cli.transfer.target import Target
from core.backup import files
from nalanda import Nalanda

_WRITERS = {".jsonl": json_lines.write, ".ndjson": json_lines.write, ".parquet": parquet.write}
_READERS: Mapping[str, Callable[[Path], AbstractContextManager[Reader]]] = {
    ".jsonl": json_lines.open_,
    ".ndjson": json_lines.open_,
    ".jsonl.gz": json_lines.open_,
    ".ndjson.gz": json_lines.open_,
    ".parquet": parquet.open_,
}
_SHOWN = 10


def export(
    library: Annotated[str, typer.Argument(help="The library's name or id.")],
    file: Annotated[
        Path, typer.Argument(help="A .jsonl or .parquet file; an existing file is replaced.")
    ],
) -> None:
    """Export a library with its vectors to a file."""
    _check_name(file, _WRITERS)
    with connect(max_retries=PATIENT) as client, bar("Exporting") as progress:
        source = client.libraries.get(library)
        documents = documents_of(client, source.id)
        outline = outline_of(client, source, documents)
        records = records_of(client, source, documents, lambda n: progress(n, outline.chunks))
        with files.file_errors(file):
            _WRITERS[_suffix(file)](files.partial_of(file), outline, records)
            check_model(client, source)
            files.publish(file)
    typer.echo(f"Exported {source.name} to {file}: {outline.documents} documents.")


def import_(
    file: Annotated[Path, typer.Argument(help="A .jsonl, .jsonl.gz or .parquet file.")],
    library: LibraryOption,
) -> None:
    """Import a file of `export` or of another tool into a library.

    A missing library is created with the file's settings. The whole file is checked before the
    first document is sent. Run the command again after an interruption: it skips the documents
    that are already stored as in the file.
    """
    _check_name(file, _READERS)
    with (
        files.file_errors(file),
        _READERS[_suffix(file)](file) as reader,
        connect(max_retries=PATIENT) as client,
    ):
        target = _import(client, reader, library)
    typer.echo(f"Library {library}: {target.summary()}.")


def _import(client: Nalanda, reader: Reader, name: str) -> Target:
    library = find_library(client, name, reader.settings)
    rules = Rules.of(reader.settings if library is None else library.model_dump())
    target = Target(client, name, library)
    with open_staging(reader.origin, rules) as staging:
        _stage(reader, staging)
        with target.abandon_on_failure(), bar("Importing") as progress:
            target.ensure(reader.settings, reader.origin)
            import_documents(client, target, staging, lambda n: progress(n, staging.chunks))
    return target


def _stage(reader: Reader, staging: Staging) -> None:
    with bar("Reading") as progress:
        reader.stage(staging, lambda n: progress(n, reader.total))
    if staging.ignored:
        names = staging.ignored
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        typer.echo(
            f"Unknown fields, not imported: {', '.join(names[:_SHOWN])}{more}. "
            "Move them into metadata to keep them.",
            err=True,
        )


def _suffix(file: Path) -> str:
    """Return the file name's suffix in lower case, with the one before `.gz`."""
    *_, before, last = ["", "", *(suffix.lower() for suffix in file.suffixes)]
    return before + last if last == ".gz" else last


def _check_name(file: Path, formats: Iterable[str]) -> None:
    if _suffix(file) not in formats:
        raise typer.BadParameter(
            f"The file name must end in one of {', '.join(formats)}.", param_hint="FILE"
        )
