"""The text of an answer while a model writes it, for the listener of the current task."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_listener: ContextVar[Callable[[str], None] | None] = ContextVar("_listener", default=None)


@contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """Call the listener with each piece of text that a model writes in the block."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


def emit(text: str) -> None:
    """Pass a piece of an answer to the listener, if there is one."""
    listener = _listener.get()
    if listener is not None and text:
        listener(text)
