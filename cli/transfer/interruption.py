"""Signals that end a command after an uninterrupted cleanup."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from cli.main import INTERRUPTED

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(SystemExit):
    """An exit caused by a signal."""

    def __init__(self) -> None:
        super().__init__(INTERRUPTED)


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first signal into Interrupted, and ignore later ones.

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


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted
