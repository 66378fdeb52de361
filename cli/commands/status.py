"""`nalanda status` and `nalanda cancel`."""

from itertools import islice
from typing import Annotated

import typer
from rich.console import Console

from cli.commands.ask import show_answer
from cli.connection import connect
from cli.options import JsonFlag
from cli.output import render
from cli.output.terminal import console, one_line, show_rows
from nalanda import Ingestion, Nalanda, QueryState

RECENT = 20
QUESTION_CHARS = 60
_INGESTION = "ingest-"
WorkflowId = Annotated[str, typer.Argument(help="The id of a question or an ingestion.")]


def status(
    workflow_id: Annotated[
        str | None, typer.Argument(help="The id of one question or ingestion.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Number of recent questions.")] = RECENT,
    as_json: JsonFlag = False,
) -> None:
    """Show recent questions, or the state of one question or ingestion."""
    with connect() as client:
        if workflow_id is None:
            _recent(client, limit, as_json=as_json)
        elif _is_ingestion(workflow_id):
            state = client.ingestions.get(workflow_id)
            if as_json:
                typer.echo(state.model_dump_json(indent=2))
            else:
                _ingestion(console(), state)
        elif as_json:
            typer.echo(client.queries.get(workflow_id).model_dump_json(indent=2))
        else:
            _one(console(), client, client.queries.get(workflow_id))


def cancel(
    workflow_ids: Annotated[
        list[str],
        typer.Argument(metavar="WORKFLOW_ID", help="Ids of questions and ingestions."),
    ],
) -> None:
    """Cancel questions and ingestions."""
    with connect() as client:
        for workflow_id in workflow_ids:
            if _is_ingestion(workflow_id):
                client.ingestions.cancel(workflow_id)
            else:
                client.queries.cancel(workflow_id)
            what = "ingestion" if _is_ingestion(workflow_id) else "question"
            typer.echo(f"Requested cancellation of the {what} {workflow_id}.")


def _is_ingestion(workflow_id: str) -> bool:
    return workflow_id.startswith(_INGESTION)


def _ingestion(out: Console, state: Ingestion) -> None:
    out.print(f"{state.workflow_id}  {state.status}")
    out.print(", ".join(f"{count} {name}" for name, count in state.files.model_dump().items()))
    for obstacle in render.ingestion_obstacles(
        state.waiting_for, state.last_failure, state.next_attempt_at
    ):
        out.print(obstacle)
    for failure in state.failures:
        out.print(one_line(f"{failure.source}: {failure.detail}"))
    if state.error:
        out.print(state.error)


def _recent(client: Nalanda, limit: int, *, as_json: bool) -> None:
    questions = list(islice(client.queries.list(page_size=min(limit, 1000)), limit))
    if as_json:
        for question in questions:
            typer.echo(question.model_dump_json())
        return
    names = {library.id: library.name for library in client.libraries.list()} if questions else {}
    rows = (
        (
            q.workflow_id,
            q.status,
            q.stage,
            q.started_at,
            names.get(q.library or "", q.library),
            one_line(q.query or "", QUESTION_CHARS),
        )
        for q in questions
    )
    show_rows(("id", "status", "stage", "started", "library", "question"), rows)


def _one(out: Console, client: Nalanda, state: QueryState) -> None:
    out.print(f"{state.workflow_id}  {state.status}")
    if state.query:
        out.print(one_line(state.query))
    out.print(render.stage_line(state))
    for obstacle in render.obstacles(state):
        out.print(obstacle)
    if state.error:
        out.print(state.error)
    if state.result is not None:
        if state.library is None:
            out.print(render.answer(state.result, {}))
        else:
            show_answer(out, client, state.library, state.result)
