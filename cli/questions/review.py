"""`nalanda review` and `nalanda adjust`."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cli.connection import connect
from cli.options import FilterOption, JsonFlag, Mode
from cli.output.terminal import console, one_line
from cli.questions.changes import changes_of
from nalanda import Nalanda, NotFoundError, Preview, QueryState, RankedChunk

TEXT_CHARS = 200
NOTHING_TO_REVIEW = 1


class Decision(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


def review(
    workflow_id: Annotated[str, typer.Argument(help="The id of a question.")],
    decision: Annotated[
        Decision | None, typer.Argument(help="Left out: show what is to be reviewed.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(metavar="CHUNK_ID", help="A chunk not to answer from.")
    ] = None,
    pin: Annotated[
        list[str] | None, typer.Option(metavar="CHUNK_ID", help="A chunk to answer from first.")
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            help="Search for this question instead; reject then asks for a review of what is found."
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the hits of a question that waits for a review, or decide about them."""
    if decision is None and (drop or pin or query):
        raise typer.BadParameter("Give approve or reject with --drop, --pin and --query.")
    with connect() as client:
        if decision is None:
            _show_request(client, client.queries.get(workflow_id), as_json=as_json)
            return
        left = client.queries.review(
            workflow_id, decision.value, drop=drop or (), pin=pin or (), query=query
        )
        if as_json:
            typer.echo(left.model_dump_json(indent=2))
        else:
            typer.echo(_outcome(workflow_id, decision, query, len(left.hits)))


def adjust(
    workflow_id: Annotated[str, typer.Argument(help="The id of a running question.")],
    k: Annotated[int | None, typer.Option("-k", help="Number of candidates to retrieve.")] = None,
    top_n: Annotated[int | None, typer.Option(help="Number of candidates to answer from.")] = None,
    mode: Annotated[Mode | None, typer.Option(help="Search mode of the retrieval.")] = None,
    condition: FilterOption = None,
    no_filter: Annotated[
        bool, typer.Option("--no-filter", help="Remove the question's filter.")
    ] = False,
) -> None:
    """Change parameters of a running question, before the stage that reads them has begun."""
    changes = changes_of(k, top_n, mode, condition, no_filter=no_filter)
    if not changes:
        raise typer.BadParameter(
            "Give at least one of -k, --top-n, --mode, and --filter or --no-filter."
        )
    with connect() as client:
        client.queries.adjust(workflow_id, **changes)
    typer.echo(f"Adjusted the question {workflow_id}.")


def _outcome(workflow_id: str, decision: Decision, query: str | None, hits: int) -> str:
    """Return what follows from a decision."""
    if query is not None:
        then = "asks for another review" if decision is Decision.REJECT else "answers"
        return f"The question {workflow_id} searches for {query!r}, and then {then}."
    if decision is Decision.REJECT:
        return f"Rejected what the question {workflow_id} has found: it ends without an answer."
    return f"Approved: the question {workflow_id} answers from {hits} chunks."


def _show_request(client: Nalanda, state: QueryState, *, as_json: bool) -> None:
    """Print what is to be reviewed; exit with 1 if no review is awaited."""
    if state.waiting_for != "review" or not state.reviews:
        typer.echo(f"The question {state.workflow_id} does not wait for a review.", err=True)
        raise typer.Exit(NOTHING_TO_REVIEW)
    request = state.reviews[-1]
    if as_json:
        typer.echo(request.model_dump_json(indent=2))
        return
    _show_hits(console(), client, state.library, request)
    typer.echo(
        f"{len(request.candidates)} more candidates, which --json shows. Decide until "
        f"{request.until.astimezone():%Y-%m-%d %H:%M}: "
        f"nalanda review {state.workflow_id} approve|reject"
    )


def _show_hits(out: Console, client: Nalanda, library: str | None, request: Preview) -> None:
    out.print(Text(one_line(request.query), "bold"))
    for place, hit in enumerate(request.hits, start=1):
        out.print(Text(f"{place:3}. {hit.chunk_id}  {_text_of(client, library, hit)}"))


def _text_of(client: Nalanda, library: str | None, hit: RankedChunk) -> str:
    """Return the beginning of a chunk's text, or why there is none."""
    if library is None:
        return ""
    try:
        return one_line(client.chunks.get(library, hit.chunk_id).text, TEXT_CHARS)
    except NotFoundError:
        return "(deleted since)"
