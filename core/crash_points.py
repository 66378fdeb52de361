"""Named steps at which a test can end the process, as a power cut would: with SIGKILL.

`NALANDA_FAULT=NAME` ends the process the first time that it reaches the step, `NAME:3` the third
time. Without the variable a step costs one call of an empty function.
"""

import os
import signal
from collections.abc import Callable
from itertools import count

VARIABLE = "NALANDA_FAULT"

STEPS: tuple[str, ...] = (
    "write.joined",  # a unit is done, in a transaction that is still open
    "commit.before",
    "commit.after",  # on the disk; no listener has been notified
    "apply.after",  # applied to the index; the client has no response yet
    "migrate.before",  # a migration is done, in a transaction that is still open
    "migrate.after",
    "file.written",  # a checkpoint's file, not yet on the disk
    "file.synced",  # not yet under its name
    "file.renamed",  # its name not yet on the disk
    "words.linked",  # a lexical index's files, their names not yet on the disk
    "checkpoint.segments",  # all files but the manifest, which makes them a checkpoint
    "checkpoint.written",
    "checkpoint.tidied",  # the log is not yet trimmed
)
"""All steps that a server reaches; each is at one place in the code or more."""

COMMAND_STEPS: tuple[str, ...] = (
    "backup.before_rename",
    "backup.before_manifest",
    "backup.after_manifest",
    "restore.after_build",
    "restore.before_rename",
    "restore.after_rename",
    "restore.before_commit",  # all rows are in the database, in a transaction still open
    "restore.after_commit",
)
"""All steps that `nalanda backup` and `nalanda restore` reach."""


def _do_nothing(_: str) -> None:
    pass


def _arm(wanted: str) -> Callable[[str], None]:
    name, _, nth = wanted.partition(":")
    last, reached_so_far = int(nth or 1), count(1)

    def step(reached: str) -> None:
        if reached == name and next(reached_so_far) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


reach: Callable[[str], None] = _arm(os.environ[VARIABLE]) if VARIABLE in os.environ else _do_nothing
"""Marks a crash point: ends the process if `NALANDA_FAULT` names this step."""
