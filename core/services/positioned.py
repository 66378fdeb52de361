"""Values with their position, and the last step of every write."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from core.ports.store import UnitOfWork

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Positioned(Generic[T]):
    """A value, and the position at which it was read or written."""

    value: T
    position: int


BeforeCommit: TypeAlias = Callable[[UnitOfWork, T], None]
"""Runs in a write's transaction, before its commit, to store the response for a retry."""


def commit_positioned(
    unit: UnitOfWork, value: T, before_commit: BeforeCommit[T] | None = None
) -> Positioned[T]:
    """Commit the unit, and return the value with the unit's position."""
    if before_commit is not None:
        before_commit(unit, value)
    unit.commit()
    return Positioned(value, unit.position)
