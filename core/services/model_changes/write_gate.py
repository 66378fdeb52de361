"""A gate that holds back the writes to a library for the moments before its model is switched."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LONGEST_S = 20.0
"""The longest wait of a write at the gate; it then goes on, and the switch is tried again."""


class WriteGate:
    """The libraries whose writes wait; `longest_s` bounds the wait of one write."""

    def __init__(self, *, longest_s: float = LONGEST_S) -> None:
        self._longest_s = longest_s
        self._opened: dict[str, threading.Event] = {}

    @contextmanager
    def closed(self, library_id: str) -> Iterator[None]:
        """Hold back the writes of chunks that have not begun yet, until the block ends."""
        opened = self._opened[library_id] = threading.Event()
        try:
            yield
        finally:
            self._opened.pop(library_id, None)
            opened.set()

    def before(self, admit: Callable[[str, int], None]) -> Callable[[str, int], None]:
        """Return a function that waits at the gate, and then calls `admit`."""

        def admit_when_open(library_id: str, rows: int) -> None:
            opened = self._opened.get(library_id)
            if opened is not None and rows:
                opened.wait(self._longest_s)
            admit(library_id, rows)

        return admit_when_open
