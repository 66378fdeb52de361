"""`nalanda events`."""

from typing import Annotated

import typer
from rich.text import Text

from cli.connection import connect
from cli.options import JsonFlag
from cli.output import render
from cli.output.terminal import console, harmless, one_line
from nalanda import Citation, QueryEvent, QueryResult, ReviewRequest, StageState


def events(
    workflow_id: Annotated[str, typer.Argument(help="The id of a question.")],
    last_event_id: Annotated[
        int | None, typer.Option(min=0, help="Resume after this event; --json shows the ids.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Follow the events of a question as they occur."""
    out = console()
    with connect() as client:
        for event in client.queries.events(workflow_id, last_event_id=last_event_id):
            if as_json:
                typer.echo(event.model_dump_json())
            else:
                out.print(_line(event))


def _line(event: QueryEvent) -> Text:
    """Return the event for display; an unknown event is shown as its name and JSON."""
    data = event.data
    match event.event:
        case "stage":
            return render.stage_mark(StageState.model_validate(data))
        case "hits":
            return Text(f"{len(data.get('hits', []))} hits at position {data.get('position')}")
        case "review":
            request = ReviewRequest.model_validate(data)
            until = f"{request.until.astimezone():%Y-%m-%d %H:%M}"
            return Text(f"A review of {len(request.hits)} hits is awaited until {until}", "yellow")
        case "token":
            return Text(harmless(str(data.get("text"))), "italic")
        case "retry":
            return Text("The answer is begun again.", "yellow")
        case "citation":
            citation = Citation.model_validate(data)
            return Text(f"“{one_line(citation.quote)}”  {_source_of(citation)}", "dim")
        case "result":
            return render.answer(QueryResult.model_validate(data | {"citations": []}), {})
        case "error":
            return Text(f"{data.get('status')}: {one_line(str(data.get('detail')))}", "red")
        case _:
            return Text(f"{event.event}: {one_line(str(data))}")


def _source_of(citation: Citation) -> str:
    if citation.place is None:
        return f"chunk {citation.chunk_id}"
    return render.place_line(citation.place).plain
