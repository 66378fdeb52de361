"""Entry point of the `nalanda` command: its exit status, and the line of a failure.

Nothing slow is imported here: Ctrl-C is handled while the rest is loaded.
"""

import gc
import os
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, NoReturn

from cli.interruption import INTERRUPTED, end_at_ctrl_c

if TYPE_CHECKING:
    from typer import Typer

UMASK = 0o077
"""Only the user may access files, including those of libraries and child processes."""


def main() -> NoReturn:
    """Run the command line, and exit.

    The status is 0 for success, 1 for a failure (with one line on stderr), 2 for wrong usage, and
    130 for an interruption.
    """
    os.umask(UMASK)
    _replace_what_cannot_be_shown()
    args = sys.argv[1:]
    try:
        with end_at_ctrl_c():
            app = _load(args)
        app(args, prog_name="nalanda")
    except KeyboardInterrupt:  # before the subcommand could handle it
        sys.exit(INTERRUPTED)
    except Exception as error:
        from cli.output.failures import advice  # imported only after a failure

        line = advice(error)
        if line is None:
            raise
        print(f"nalanda: {line}", file=sys.stderr)
    sys.exit(1)


def _load(args: list[str]) -> "Typer":
    gc.disable()  # modules leave no garbage: to search them for it takes a sixth of the time
    try:
        from cli.application import application

        return application(args)
    finally:
        gc.enable()


def _replace_what_cannot_be_shown() -> None:
    """Escape characters that stdout's encoding lacks, as Python does on stderr."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
