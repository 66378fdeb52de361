"""`nalanda library`."""

from typing import Annotated, Any, cast

import typer

from cli.commands.embedding_model import embedding_model
from cli.connection import connect
from cli.options import JsonFlag, json_object
from cli.output.terminal import show_rows
from core.domain.library import Language, Metric
from nalanda import LibraryOptions

app = typer.Typer(
    help="List, create, show and delete libraries.", no_args_is_help=True, rich_markup_mode=None
)

app.command("embedding-model")(embedding_model)

NameOrId = Annotated[str, typer.Argument(help="The library's name or id.")]


@app.command("list")
def list_all(as_json: JsonFlag = False) -> None:
    """List all libraries."""
    with connect() as client:
        libraries = list(client.libraries.list())
    if as_json:
        for library in libraries:
            typer.echo(library.model_dump_json())
        return
    rows = ((x.name, x.dimension, x.metric, x.embedding_model, x.id) for x in libraries)
    show_rows(("name", "dimension", "metric", "model", "id"), rows)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="A name, unique among the libraries.")],
    description: Annotated[str | None, typer.Option(help="What the library holds.")] = None,
    dimension: Annotated[int | None, typer.Option(help="The dimension of its vectors.")] = None,
    metric: Annotated[str | None, typer.Option(help=f"The metric: {', '.join(Metric)}.")] = None,
    model: Annotated[str | None, typer.Option(help="The embedding model of its texts.")] = None,
    language: Annotated[
        Language | None,
        typer.Option(
            help="The language of its texts, for lexical search; auto: detected. Default: english."
        ),
    ] = None,
    schema: Annotated[
        dict[str, Any] | None,
        typer.Option(
            metavar="JSON", parser=json_object, help="The schema of its chunks' metadata."
        ),
    ] = None,
) -> None:
    """Create a library. The first chunk sets the options that are left out."""
    options = {
        "description": description,
        "dimension": dimension,
        "metric": metric,
        "embedding_model": model,
        "language": language,
        "metadata_schema": schema,
    }
    with connect() as client:
        library = client.libraries.create(name, **cast("LibraryOptions", options))
    typer.echo(f"Created library {library.name} with id {library.id}.")


@app.command()
def show(library: NameOrId, as_json: JsonFlag = False) -> None:
    """Show a library."""
    with connect() as client:
        library_ = client.libraries.get(library)
        if as_json:
            typer.echo(library_.model_dump_json(indent=2))
            return
        index = client.index.get(library_.id)
    rows = [*library_.model_dump(exclude={"index"}).items(), *index.model_dump().items()]
    show_rows(("field", "value"), [row for row in rows if row[1] not in (None, {})])


@app.command()
def delete(
    library: NameOrId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Delete a library with all of its documents and chunks."""
    with connect() as client:
        library_ = client.libraries.get(library)
        if not yes:
            typer.confirm(f"Delete the library {library_.name} and all its documents?", abort=True)
        client.libraries.delete(library_.id)
    typer.echo(f"Deleted library {library_.name}.")
