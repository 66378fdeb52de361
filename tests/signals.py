"""Signals that a test handles, whatever its process does with them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def handled(number: signal.Signals) -> Iterator[None]:
    """Handle a signal that may be ignored here, such as SIGHUP under nohup."""
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)
