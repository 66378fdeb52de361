"""`nalanda chat`."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from cli.commands.ask import follow, result_of, show_answer
from cli.connection import PATIENT, connect
from cli.modes import ModeName, with_mode
from cli.options import LibraryOption, ModeOption
from cli.output.terminal import console
from nalanda import Nalanda, QueryFailed, QueryHandle

PROMPT = "> "


def chat(
    library: LibraryOption,
    conversation: Annotated[
        str | None, typer.Option(help="Continue the conversation of this id.")
    ] = None,
    mode: ModeOption = None,
) -> None:
    """Ask a question a line, as turns of one conversation.

    The end of the input ends it, and the conversation stays.
    """
    with connect() as client, connect(max_retries=PATIENT) as patient:
        talk = conversation or client.conversations.create(library).id
        typer.echo(f"The conversation is {talk}.", err=True)
        while question := _read_question():
            if not question.strip():
                continue
            start = partial(client.queries.start, library, question.strip(), conversation_id=talk)
            handle = with_mode(mode, _in_mode(start), refused_at="/library")
            _show(client, patient, library, handle.workflow_id)


def _in_mode(start: Callable[..., QueryHandle]) -> Callable[[ModeName], QueryHandle]:
    return lambda used: start(mode=used)


def _show(client: Nalanda, patient: Nalanda, library: str, workflow_id: str) -> None:
    """Show the answer, or why there is none: the conversation goes on."""
    try:
        result = result_of(follow(patient, workflow_id))
    except QueryFailed as error:
        typer.echo(str(error), err=True)
    else:
        show_answer(console(), client, library, result)


def _read_question() -> str:
    """Read a line; return an empty text at the end of the input."""
    if sys.stdin.isatty():
        typer.echo(PROMPT, nl=False, err=True)
    return sys.stdin.readline()
