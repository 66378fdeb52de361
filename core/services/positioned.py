"""Values with their position, and the last step of every write."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from core.ports.store import UnitOfWork

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Positioned(Generic[T]):
    """A value, and the position at which it was read or written; `is_new`: the write created it."""

    value: T
    position: int
    is_new: bool = field(default=False, compare=False)


BeforeCommit: TypeAlias = Callable[[UnitOfWork, Positioned[T]], None]
"""Runs in a write's transaction, before its commit, to store the response for a retry."""


def commit_positioned(
    unit: UnitOfWork,
    value: T,
    before_commit: BeforeCommit[T] | None = None,
    *,
    is_new: bool = False,
) -> Positioned[T]:
    """Commit the unit, and return the value with the unit's position."""
    written = Positioned(value, unit.position, is_new)
    if before_commit is not None:
        before_commit(unit, written)
    unit.commit()
    return written
