"""A value with its position, and the last step of every write."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from core.ports.store import UnitOfWork

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Positioned(Generic[T]):
    """A value, and the position that it was read or written at."""

    value: T
    position: int


BeforeCommit: TypeAlias = Callable[[UnitOfWork, T], None]
"""Runs inside a write, before its commit; the answer to a retried request is kept there."""


def commit_positioned(
    unit: UnitOfWork, value: T, before_commit: BeforeCommit[T] | None = None
) -> Positioned[T]:
    if before_commit is not None:
        before_commit(unit, value)
    unit.commit()
    return Positioned(value, unit.position)
