"""`nalanda export` and `nalanda import`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.connection import PATIENT, connect
from cli.options import LibraryOption
from cli.progress import bar
from cli.transfer import json_lines, parquet
from cli.transfer.exporting import documents_of, outline_of, records_of
from cli.transfer.importing import OUTCOMES, bring, ensured
from core.backup import files

_FORMATS = {".jsonl": json_lines, ".ndjson": json_lines, ".parquet": parquet}


def export(
    library: Annotated[str, typer.Argument(help="The library's name or id.")],
    file: Annotated[Path, typer.Argument(help="A .jsonl or a .parquet file, replaced if there.")],
) -> None:
    """Write a library to a file, with its vectors."""
    _check_name(file)
    with connect(max_retries=PATIENT) as client, bar("Exporting") as progress:
        found = client.libraries.get(library)
        documents = documents_of(client, found)
        outline = outline_of(client, found, documents)
        records = records_of(client, found, documents, lambda n: progress(n, outline.chunks))
        with files.file_errors(file):
            _FORMATS[file.suffix].write(files.partial_of(file), outline, records)
            files.publish(file)
    typer.echo(f"{file} has the library {found.name}: {outline.documents} documents.")


def import_(
    file: Annotated[Path, typer.Argument(help="A .jsonl or a .parquet file.")],
    library: LibraryOption,
) -> None:
    """Put a file that `export` wrote into a library.

    The library is created as it was if it is missing. Run it again after an interruption: a
    document that is there as in the file is left alone.
    """
    _check_name(file)
    with (
        files.file_errors(file),
        _FORMATS[file.suffix].open_(file) as reader,
        connect(max_retries=PATIENT) as client,
        bar("Importing") as progress,
    ):
        outline = reader.outline
        into = ensured(client, library, outline)
        documents = reader.documents()
        counts = bring(client, into, documents, lambda n: progress(n, outline.chunks))
    said = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES)
    typer.echo(f"Library {library}: {said}.")


def _check_name(file: Path) -> None:
    if file.suffix not in _FORMATS:
        raise typer.BadParameter(
            f"Its name ends in none of {', '.join(_FORMATS)}.", param_hint="FILE"
        )
