"""`nalanda rerun`, `nalanda diff` and `nalanda forget`."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.text import Text

from cli.connection import connect
from cli.options import FilterOption, JsonFlag, Mode
from cli.output.terminal import console, one_line
from cli.questions.changes import changes_of
from nalanda import QueryDiff


class FromStage(StrEnum):
    RETRIEVE = "retrieve"
    RERANK = "rerank"
    ANSWER = "answer"


class At(StrEnum):
    THEN = "then"
    NOW = "now"


def rerun(
    workflow_id: Annotated[str, typer.Argument(help="The id of a finished question.")],
    stage: Annotated[FromStage, typer.Option("--from", help="The first stage to run again.")],
    at: Annotated[
        At, typer.Option(help="Use the chunks as the question saw them, or as they are now.")
    ] = At.THEN,
    k: Annotated[int | None, typer.Option("-k", help="Number of candidates to retrieve.")] = None,
    top_n: Annotated[int | None, typer.Option(help="Number of candidates to answer from.")] = None,
    mode: Annotated[Mode | None, typer.Option(help="Search mode of the retrieval.")] = None,
    condition: FilterOption = None,
    no_filter: Annotated[
        bool, typer.Option("--no-filter", help="Remove the question's filter.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Ask a finished question again from a stage on, and show the difference."""
    changes = changes_of(k, top_n, mode, condition, no_filter=no_filter)
    with connect() as client:
        handle = client.queries.rerun(workflow_id, stage.value, at=at.value, **changes)
        typer.echo(f"The new question is {handle.workflow_id}.", err=True)
        client.queries.wait(handle.workflow_id)
        _show(client.queries.diff(workflow_id, handle.workflow_id), as_json=as_json)


def diff(
    workflow_id: Annotated[str, typer.Argument(help="The id of a finished question.")],
    other_id: Annotated[str, typer.Argument(help="The id of another one.")],
    as_json: JsonFlag = False,
) -> None:
    """Compare the results of two questions."""
    with connect() as client:
        _show(client.queries.diff(workflow_id, other_id), as_json=as_json)


def forget(
    workflow_ids: Annotated[
        list[str], typer.Argument(metavar="WORKFLOW_ID", help="Ids of finished questions.")
    ],
) -> None:
    """Delete finished questions: history, events, archived state and feedback."""
    with connect() as client:
        for workflow_id in workflow_ids:
            client.queries.delete(workflow_id)
            typer.echo(f"Deleted the question {workflow_id}.")


def _show(difference: QueryDiff, *, as_json: bool) -> None:
    if as_json:
        typer.echo(difference.model_dump_json(indent=2))
        return
    out = console()
    hits, citations, answer = difference.hits, difference.citations, difference.answer
    for hit in hits.gained:
        out.print(Text(f"+ hit {hit.chunk_id}", "green"))
    for hit in hits.lost:
        out.print(Text(f"- hit {hit.chunk_id}", "red"))
    for move in hits.moved:
        out.print(Text(f"  hit {move.chunk_id}: rank {move.before} is now {move.after}"))
    for citation in citations.gained:
        out.print(Text(f"+ “{one_line(citation.quote)}”", "green"))
    for citation in citations.lost:
        out.print(Text(f"- “{one_line(citation.quote)}”", "red"))
    if answer.before == answer.after:
        out.print("The answer is the same.")
    else:
        out.print(Text(f"- {one_line(answer.before or 'no answer')}", "red"))
        out.print(Text(f"+ {one_line(answer.after or 'no answer')}", "green"))
