"""The `nalanda` command: its subcommands, and how it ends.

Only the subcommand that is called is imported, so that help and mistakes are answered at once.
"""

import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, NoReturn

import typer

INTERRUPTED = 130
UMASK = 0o077
"""Files are their user's alone, those that libraries and child processes create as well."""
COMMANDS = {
    "up": ("cli.up:up", "Run Temporal, the API and a worker together, until Ctrl-C."),
    "demo": (
        "cli.demo.command:demo",
        "Run it all, read in Python's own documentation, and ask it five questions.",
    ),
    "serve": ("cli.serve:serve", "Run the API alone."),
    "worker": (
        "cli.serve:worker",
        "Run a worker alone: it answers the questions that wait on the task queue.",
    ),
    "temporal": (
        "cli.up:temporal",
        "Run a local Temporal server alone, set up as Nalanda needs it.",
    ),
    "library": ("cli.library:app", "List, create, show and delete libraries."),
    "ingest": (
        "cli.ingestion.command:ingest",
        "Put text, Markdown and HTML files and folders into a library.",
    ),
    "search": ("cli.search:search", "Find the chunks that are nearest to a text."),
    "ask": ("cli.ask:ask", "Ask a question, and watch it being answered."),
    "export": ("cli.transfer.command:export", "Write a library to a file, with its vectors."),
    "import": (
        "cli.transfer.command:import_",
        "Put a file that `export` or another tool wrote into a library.",
    ),
    "backup": ("cli.backup:backup", "Back up the database, or list its backups."),
    "restore": (
        "cli.backup:restore",
        "Make a new data directory, or fill a PostgreSQL database, from backups.",
    ),
    "verify": ("cli.verify:verify", "Read all that is stored, and say what is wrong."),
    "compact": ("cli.compact:compact", "Give back the space of what was deleted."),
    "status": ("cli.status:status", "Show recent questions, or one of them."),
    "events": ("cli.events:events", "Show what happens to a question, as it happens."),
    "cancel": ("cli.status:cancel", "Stop a question."),
    "doctor": ("cli.doctor:doctor", "Say what there is of what Nalanda needs, and what is not."),
}
"""Where each subcommand is (a function, or a typer app of more), and what the help says of it."""


def main() -> NoReturn:
    """Exit status: 0 done, 1 a failure (one line on stderr says what to do), 2 a wrong usage,
    130 interrupted."""
    os.umask(UMASK)
    _replace_what_cannot_be_shown()
    args = sys.argv[1:]
    try:
        application(args)(args, prog_name="nalanda")
    except KeyboardInterrupt:  # before the subcommand was there to be told
        sys.exit(INTERRUPTED)
    except Exception as error:
        from cli.failures import advice  # what it needs is imported if something failed

        line = advice(error)
        if line is None:
            raise
        print(f"nalanda: {line}", file=sys.stderr)
    sys.exit(1)


def _replace_what_cannot_be_shown() -> None:
    """Escape on stdout what its encoding does not have, as Python does on stderr."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def application(args: list[str]) -> typer.Typer:
    """The command line with the subcommand that `args` call; of the others, the help alone."""
    app = typer.Typer(
        callback=_root,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    called = next((word for word in args if not word.startswith("-")), None)
    for name, (where, help_line) in COMMANDS.items():
        if name == called:
            _register(app, name, where)
        else:
            app.command(name, help=help_line)(_not_called)
    return app


def _register(app: typer.Typer, name: str, where: str) -> None:
    module, _, attribute = where.partition(":")
    target = getattr(import_module(module), attribute)
    if isinstance(target, typer.Typer):
        app.add_typer(target, name=name)
    else:
        app.command(name)(target)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # slow to import, and hardly ever wanted

        typer.echo(f"nalanda {version('nalanda')}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    """A vector database with durable question answering."""


def _not_called() -> None:
    raise AssertionError("a subcommand that was not called was run")
