"""`nalanda search`."""

from typing import Annotated

import typer
from rich.text import Text

from cli.connection import connect
from cli.modes import with_mode
from cli.options import FilterOption, JsonFlag, LibraryOption, ModeOption
from cli.output.terminal import console, one_line
from nalanda import Hit, Include

INCLUDED: tuple[Include, ...] = ("text", "metadata", "document")


def search(
    text: Annotated[str, typer.Argument(help="The text to search for.")],
    library: LibraryOption,
    k: Annotated[int, typer.Option("-k", help="Number of chunks.")] = 10,
    mode: ModeOption = None,
    condition: FilterOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Find the chunks nearest to a text."""
    with connect() as client:
        result = with_mode(
            mode,
            lambda used: client.search(
                library, text=text, k=k, mode=used, filter=condition, include=INCLUDED
            ),
            refused_at="/embedding",
        )
    for field in result.plan.unknown_fields:
        typer.echo(f"No chunk of the library has the field {field!r} of the filter.", err=True)
    if as_json:
        typer.echo(result.model_dump_json(indent=2, exclude_none=True))
        return
    out = console()
    for place, hit in enumerate(result.hits, start=1):
        out.print(_line(place, hit))
    if not result.hits:
        out.print("No chunk was found.")


def _line(place: int, hit: Hit) -> Text:
    document = hit.document
    origin = (document.title or document.source or document.id) if document else hit.document_id
    head = Text.assemble(
        (f"{place:>3}. ", "bold cyan"), (f"{hit.score:.4f}  ", "dim"), (one_line(origin), "bold")
    )
    return head.append(f"  {one_line(hit.text or '')}")
