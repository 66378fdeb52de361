"""Asks for a refusal, and where it points."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from core.domain.errors import Invalid


@contextmanager
def invalid_at(*pointers: str) -> Iterator[None]:
    """Check that the block raises `Invalid` with exactly these pointers, in this order."""
    with pytest.raises(Invalid) as refusal:
        yield
    assert [fault.pointer for fault in refusal.value.faults] == list(pointers)
