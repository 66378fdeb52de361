"""The position of the state in which something was looked for, and not found."""

from collections.abc import Iterator
from contextlib import contextmanager

from core.domain.errors import NotFound


@contextmanager
def note_position(position: int) -> Iterator[None]:
    """Note the position of a state on the `NotFound` that its reader raises."""
    try:
        yield
    except NotFound as error:
        error.position = position
        raise
