"""The command line of `nalanda`: its subcommands and options.

Only the called subcommand is imported, so that help and usage errors appear at once.
"""

from importlib import import_module
from typing import Annotated

import typer

COMMANDS = {
    "up": ("cli.commands.up:up", "Run Temporal, the API and a worker together, until Ctrl-C."),
    "demo": (
        "cli.demo.command:demo",
        "Run the whole stack, ingest Python's documentation, and ask five questions.",
    ),
    "serve": ("cli.commands.serve:serve", "Run the API alone."),
    "worker": (
        "cli.commands.serve:worker",
        "Run a worker alone: it processes the questions of the task queue.",
    ),
    "temporal": (
        "cli.commands.up:temporal",
        "Run a local Temporal server alone, configured for Nalanda.",
    ),
    "library": ("cli.commands.library:app", "List, create, show and delete libraries."),
    "ingest": (
        "cli.ingestion.command:ingest",
        "Ingest files and folders into a library.",
    ),
    "search": ("cli.commands.search:search", "Find the chunks nearest to a text."),
    "ask": ("cli.commands.ask:ask", "Ask a question, and follow its stages until the answer."),
    "chat": ("cli.questions.chat:chat", "Ask a question a line, as turns of one conversation."),
    "eval": (
        "cli.evaluation.command:evaluate",
        "Ask a file of questions, and measure how right the answers are.",
    ),
    "export": ("cli.transfer.command:export", "Export a library with its vectors to a file."),
    "import": (
        "cli.transfer.command:import_",
        "Import a file of `export` or of another tool into a library.",
    ),
    "backup": ("cli.commands.backup:backup", "Back up the database, or list its backups."),
    "restore": (
        "cli.commands.backup:restore",
        "Restore backups into a new data directory or an empty PostgreSQL database.",
    ),
    "verify": ("cli.commands.verify:verify", "Check all stored data, and report what is damaged."),
    "compact": ("cli.commands.compact:compact", "Reclaim the disk space of deleted data."),
    "cluster": (
        "cli.commands.cluster:app",
        "Show the nodes of a cluster, and let another one lead.",
    ),
    "status": (
        "cli.commands.status:status",
        "Show recent questions, or the state of one question, ingestion or model change.",
    ),
    "events": ("cli.commands.events:events", "Follow the events of a question as they occur."),
    "review": (
        "cli.questions.review:review",
        "Show the hits of a question that waits for a review, or decide about them.",
    ),
    "adjust": (
        "cli.questions.review:adjust",
        "Change parameters of a running question, before the stage that reads them has begun.",
    ),
    "rerun": (
        "cli.questions.rerun:rerun",
        "Ask a finished question again from a stage on, and show the difference.",
    ),
    "diff": ("cli.questions.rerun:diff", "Compare the results of two questions."),
    "forget": (
        "cli.questions.rerun:forget",
        "Delete finished questions: history, events, archived state and feedback.",
    ),
    "cancel": ("cli.commands.status:cancel", "Cancel questions, ingestions and model changes."),
    "docs": ("cli.commands.docs:docs", "Serve this documentation on this machine, until Ctrl-C."),
    "doctor": ("cli.commands.doctor:doctor", "Check the environment, and report what is missing."),
}
"""Import path of each subcommand (a function or a typer app), and its line in the help."""


def application(args: list[str]) -> typer.Typer:
    """Return the command line with the subcommand that `args` call, and the help of the others."""
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
        from importlib.metadata import version  # slow to import, and rarely needed

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
