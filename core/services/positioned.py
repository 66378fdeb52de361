"""A value with its position, and the last step of every write."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from core.ports.store import UnitOfWork

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class At(Generic[T]):
    """A value, and the position that it was read or written at."""

    value: T
    position: int


Within: TypeAlias = Callable[[UnitOfWork, T], None]
"""Runs inside a write, before its commit; the answer to a retried request is kept there."""


def committed(unit: UnitOfWork, value: T, within: Within[T] | None = None) -> At[T]:
    if within is not None:
        within(unit, value)
    unit.commit()
    return At(value, unit.position)
