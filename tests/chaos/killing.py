"""Kills of a stack's processes every few seconds, of one or of several at once."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from tests.e2e.stack import PARTS, Stack

_LARGEST = 2
"""Parts that are killed at once, at most."""


class Killer:
    """A thread that kills parts with SIGKILL and starts them again; `kills` counts them by part.

    `rounds`: the number of kills, of one or of several parts at once.
    """

    def __init__(
        self, stack: Stack, *, every_s: float, seed: int, rounds: int | None = None
    ) -> None:
        self._rounds = rounds
        self._stack = stack
        self._every_s = every_s
        self._random = Random(seed)
        self._stopping = threading.Event()
        self._error: BaseException | None = None
        self.kills: Counter[str] = Counter()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Kill until the end of the block; all parts run again then.

        Raises:
            AssertionError: a part did not start.
        """
        thread = threading.Thread(target=self._work, name="killer")
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        turn = 0
        try:
            while not self._stopping.wait(self._random.uniform(0.5, 1.5) * self._every_s):
                first = PARTS[turn % len(PARTS)]
                others = [part for part in PARTS if part != first]
                also = self._random.sample(others, self._random.randrange(_LARGEST))
                self._kill({first, *also})
                turn += 1
                if turn == self._rounds:
                    return
        except BaseException as error:  # noqa: BLE001  # raised in the caller's thread
            self._error = error

    def _kill(self, parts: set[str]) -> None:
        for part in parts:
            self._stack.kill(part)
            self.kills[part] += 1
        for part in PARTS:  # the order in which each finds what it needs
            if part in parts:
                self._stack.start(part)
