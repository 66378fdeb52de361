"""`nalanda status` and `nalanda cancel`."""

import re
from itertools import islice
from typing import Annotated

import typer
from rich.console import Console

from cli.commands.ask import show_answer
from cli.commands.embedding_model import show_change
from cli.connection import connect
from cli.options import JsonFlag
from cli.output import render
from cli.output.terminal import console, one_line, show_rows
from nalanda import Ingestion, ModelChange, Nalanda, QueryState

RECENT = 20
QUESTION_CHARS = 60
_INGESTION = "ingest-"
_MODEL_CHANGE = re.compile("reembed-i[0-9a-f]+-(.+)")
"""The id of a model change, which ends with its library's."""


def status(
    workflow_id: Annotated[
        str | None, typer.Argument(help="The id of one question, ingestion or model change.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Number of recent questions.")] = RECENT,
    as_json: JsonFlag = False,
) -> None:
    """Show recent questions, or the state of one question, ingestion or model change."""
    with connect() as client:
        if workflow_id is None:
            _recent(client, limit, as_json=as_json)
            return
        state = _state(client, workflow_id)
        if as_json:
            typer.echo(state.model_dump_json(indent=2))
            return
        match state:
            case Ingestion():
                _ingestion(console(), state)
            case ModelChange():
                show_change(console(), state)
            case QueryState():
                _one(console(), client, state)


def cancel(
    workflow_ids: Annotated[
        list[str],
        typer.Argument(
            metavar="WORKFLOW_ID", help="Ids of questions, ingestions and model changes."
        ),
    ],
) -> None:
    """Cancel questions, ingestions and model changes."""
    with connect() as client:
        for workflow_id in workflow_ids:
            what = _cancel(client, workflow_id)
            typer.echo(f"Requested cancellation of the {what} {workflow_id}.")


def _state(client: Nalanda, workflow_id: str) -> QueryState | Ingestion | ModelChange:
    if (change := _MODEL_CHANGE.fullmatch(workflow_id)) is not None:
        return client.libraries.model_change(change[1])
    if workflow_id.startswith(_INGESTION):
        return client.ingestions.get(workflow_id)
    return client.queries.get(workflow_id)


def _cancel(client: Nalanda, workflow_id: str) -> str:
    """Request cancellation, and return what the workflow does."""
    if (change := _MODEL_CHANGE.fullmatch(workflow_id)) is not None:
        client.libraries.cancel_model_change(change[1])
        return "model change"
    if workflow_id.startswith(_INGESTION):
        client.ingestions.cancel(workflow_id)
        return "ingestion"
    client.queries.cancel(workflow_id)
    return "question"


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
