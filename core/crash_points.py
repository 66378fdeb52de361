"""Named steps at which a test can end the process, as a power cut would: with SIGKILL.

`NALANDA_FAULT=NAME` ends it the first time that the step is reached, `NAME:3` the third time.
Without the variable a step costs one call of a function that does nothing.
"""

import os
import signal
from collections.abc import Callable
from itertools import count

VARIABLE = "NALANDA_FAULT"

STEPS: tuple[str, ...] = (
    "write.joined",  # a unit is done, in a transaction that is still open
    "commit.before",
    "commit.after",  # on the disk, and nobody has heard of it
    "apply.after",  # the index has heard of it, the client has not
    "migrate.before",  # a migration is done, in a transaction that is still open
    "migrate.after",
    "file.written",  # a checkpoint's file, not yet on the disk
    "file.synced",  # not yet under its name
    "file.renamed",  # its name not yet on the disk
    "words.linked",  # an index of words' files, their names not yet on the disk
    "checkpoint.segments",  # before what makes the files a checkpoint
    "checkpoint.written",
    "checkpoint.tidied",  # the log is not yet trimmed
)
"""All that a server comes by; each stands at one place or more."""

COMMAND_STEPS: tuple[str, ...] = (
    "backup.before_rename",
    "backup.before_manifest",
    "backup.after_manifest",
    "restore.after_build",
    "restore.before_rename",
    "restore.after_rename",
    "restore.before_commit",  # all is in the database, in a transaction that is still open
    "restore.after_commit",
)
"""All that `nalanda backup` and `nalanda restore` come by."""


def _nothing(_: str) -> None:
    pass


def _armed(wanted: str) -> Callable[[str], None]:
    name, _, nth = wanted.partition(":")
    last, reached_so_far = int(nth or 1), count(1)

    def step(reached: str) -> None:
        if reached == name and next(reached_so_far) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


reach: Callable[[str], None] = _armed(os.environ[VARIABLE]) if VARIABLE in os.environ else _nothing
"""Called with the step's name, just where it would hurt."""
