"""`nalanda ask`."""

from typing import Annotated, cast

import typer
from rich.console import Console
from rich.text import Text

from cli.connection import PATIENT, connect
from cli.interruption import INTERRUPTED
from cli.modes import with_mode
from cli.options import FilterOption, JsonFlag, LibraryOption, ModeOption
from cli.output import render
from cli.output.terminal import can_overwrite, console
from cli.questions.draft import Draft
from nalanda import BudgetOptions, Nalanda, NotFoundError, QueryFailed, QueryResult, QueryState


def ask(
    question: Annotated[str, typer.Argument(help="The question, in plain words.")],
    library: LibraryOption,
    k: Annotated[int, typer.Option("-k", help="Number of candidates to retrieve.")] = 40,
    top_n: Annotated[int, typer.Option(help="Number of candidates to answer from.")] = 5,
    mode: ModeOption = None,
    deadline: Annotated[
        float | None, typer.Option(help="Seconds after which to answer with the results so far.")
    ] = None,
    condition: FilterOption = None,
    review: Annotated[
        bool, typer.Option("--review", help="Wait for `nalanda review` before the answer.")
    ] = False,
    budget_tokens: Annotated[
        int | None, typer.Option(help="Tokens of providers that the question may spend.")
    ] = None,
    budget_calls: Annotated[
        int | None, typer.Option(help="Calls to providers that the question may make.")
    ] = None,
    conversation: Annotated[
        str | None, typer.Option(help="Ask the next turn of the conversation of this id.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask a question, and follow its stages until the answer."""
    with connect() as client, connect(max_retries=PATIENT) as patient:
        handle = with_mode(
            mode,
            lambda used: client.queries.start(
                library,
                question,
                k=k,
                top_n=top_n,
                mode=used,
                filter=condition,
                deadline_s=deadline,
                review=review,
                budget=_budget(budget_tokens, budget_calls),
                conversation_id=conversation,
            ),
            refused_at="/library",
        )
        state = follow(patient, handle.workflow_id)
        result = result_of(state)
        if as_json:
            typer.echo(state.model_dump_json(indent=2))
        else:
            show_answer(console(), client, library, result)


def _budget(tokens: int | None, calls: int | None) -> BudgetOptions | None:
    given = {"tokens": tokens, "calls": calls}
    budget = {name: amount for name, amount in given.items() if amount is not None}
    return cast("BudgetOptions", budget) if budget else None


def show_answer(out: Console, client: Nalanda, library: str, result: QueryResult) -> None:
    """Print the answer with numbered citations and their sources."""
    cited = {c.chunk_id: c.document_id for c in result.citations if c.place is None}
    documents = {one: _origin(client, library, one) for one in sorted(set(cited.values()))}
    origins = {chunk_id: documents[document_id] for chunk_id, document_id in cited.items()}
    out.print(render.answer(result, origins))


def result_of(state: QueryState) -> QueryResult:
    """Return the result of a completed question.

    Raises:
        QueryFailed: the question ended without a result.
    """
    if state.status != "completed" or state.result is None:
        raise QueryFailed(state)
    return state.result


def follow(client: Nalanda, workflow_id: str) -> QueryState:
    """Show the stages and the draft on stderr, so that stdout has only the answer.

    Return the last state.
    """
    out, states = console(stderr=True), client.queries.watch(workflow_id)
    try:
        if not can_overwrite(out):
            return render.follow(out, states)
        draft = Draft(client, workflow_id)
        return render.follow(out, states, lambda: draft.text)
    except KeyboardInterrupt:
        typer.echo(
            f"The question {workflow_id} is still running. Show it with "
            f"`nalanda status {workflow_id}`, or stop it with `nalanda cancel {workflow_id}`.",
            err=True,
        )
        raise typer.Exit(INTERRUPTED) from None


def _origin(client: Nalanda, library: str, document_id: str) -> Text:
    """Return the title and source of a document for display."""
    try:
        document = client.documents.get(library, document_id)
    except NotFoundError:
        return Text(f"document {document_id}, since deleted")
    return render.named_source(document.title or "untitled document", document.source or "")
