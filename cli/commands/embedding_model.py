"""`nalanda library embedding-model`: move a library to another model, and back."""

from typing import Annotated

import typer
from rich.console import Console

from cli.connection import PATIENT, connect
from cli.interruption import Interrupted
from cli.options import JsonFlag
from cli.output import progress
from cli.output.terminal import console, one_line
from nalanda import ModelChange, Nalanda

FAILED = 1


def embedding_model(
    library: Annotated[str, typer.Argument(help="The library's name or id.")],
    model: Annotated[
        str | None, typer.Argument(help="The model to move to. Left out: show the last change.")
    ] = None,
    revert: Annotated[
        bool, typer.Option("--revert", help="Move back to the model before.")
    ] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel a change in progress.")] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Delete the old embeddings, which a revert needs.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for the end of the change.")
    ] = True,
    as_json: JsonFlag = False,
) -> None:
    """Move a library to another embedding model while it serves, or show the last such change."""
    if sum([model is not None, revert, cancel, forget]) > 1:
        raise typer.BadParameter("Give one of MODEL, --revert, --cancel and --forget.")
    with connect(max_retries=PATIENT) as client:
        if cancel:
            client.libraries.cancel_model_change(library)
            typer.echo(f"Cancelled the change of the model of {library}.")
            return
        if forget:
            client.libraries.forget_previous_model(library)
            typer.echo(f"Deleted the old embeddings of {library}.")
            return
        if model is not None:
            client.libraries.change_model(library, model)
        elif revert:
            client.libraries.revert_model(library)
        is_started = model is not None or revert
        state = client.libraries.model_change(library)
        if is_started and wait:
            state = _follow(client, library)
    if as_json:
        typer.echo(state.model_dump_json(indent=2))
    else:
        show_change(console(), state)
    if is_started and wait and state.state not in {"switched", "reverted"}:
        raise typer.Exit(FAILED)


def _follow(client: Nalanda, library: str) -> ModelChange:
    """Return the last state of a change, which goes on if this process ends."""
    last_obstacle: str | None = None
    try:
        with progress.bar("Embedding") as show:
            for state in client.libraries.watch_model_change(library):
                show(state.staged, state.total or None)
                obstacle = _obstacle(state)
                if obstacle is not None and obstacle != last_obstacle:
                    typer.echo(obstacle, err=True)
                last_obstacle = obstacle
    except Interrupted:
        typer.echo(
            f"The change goes on; cancel it with `nalanda library embedding-model {library} "
            "--cancel`.",
            err=True,
        )
        raise
    return state


def _obstacle(state: ModelChange) -> str | None:
    if state.waiting_for is not None:
        return f"Waiting for a {state.waiting_for}: start one with `nalanda worker`."
    if state.last_failure is not None:
        return one_line(f"Trying again: {state.last_failure}")
    return None


def show_change(out: Console, state: ModelChange) -> None:
    if state.old is None or state.new is None:
        out.print("The library's model was never changed.")
        return
    old, new = state.old, state.new
    out.print(f"{old.model} ({old.dimension}) → {new.model} ({new.dimension}): {state.state}")
    if not state.closed:
        out.print(f"{state.staged} of {state.total} chunks are embedded.")
    if (obstacle := _obstacle(state)) is not None:
        out.print(obstacle)
    if state.error is not None:
        out.print(one_line(state.error))
    if (comparison := state.comparison) is not None:
        out.print(
            f"On {comparison.rows} chunks and {comparison.queries} sentences: nDCG@10 "
            f"{comparison.old.ndcg_at_10:.3f} → {comparison.new.ndcg_at_10:.3f}, recall@10 "
            f"{comparison.old.recall_at_10:.3f} → {comparison.new.recall_at_10:.3f}, "
            f"{comparison.overlap_at_10:.0%} of the hits in common."
        )
    if state.revertable:
        out.print("The old embeddings are kept: --revert moves back, --forget deletes them.")
