"""Signals that end a command: when they do, with which status, and what they can't interrupt.

Nothing slow is imported here: `nalanda` handles Ctrl-C before the rest is loaded.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130
"""Exit status after an interruption."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(SystemExit):
    """An exit caused by a signal."""

    def __init__(self) -> None:
        super().__init__(INTERRUPTED)


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first signal into Interrupted, and ignore later ones, so that they stop no cleanup.

    Raises:
        Interrupted: a signal arrived.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    if before[signal.SIGHUP] is signal.SIG_IGN:  # ignored under nohup
        del before[signal.SIGHUP]
    for number in before:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def end_at_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end the process at once and without a word, while it has nothing to clean up.

    An exception would not do: modules that are being imported may catch it or print it.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # ignored, for example, in a shell's background
        yield
        return
    signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(INTERRUPTED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted
