"""Cutting of items into batches."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of `size`, the last perhaps shorter; none for no items."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
