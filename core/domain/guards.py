"""Optimistic concurrency control: preconditions on the version that a write replaces."""

from collections.abc import Callable
from dataclasses import dataclass

from core.domain.errors import PreconditionFailed


def _any_writer() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Guard:
    """The precondition of a write.

    `versions`: one of them must be current (If-Match). `exists`: the resource must exist.
    `absent`: the resource must not exist. `check_writer` raises `PreconditionFailed` for a writer
    that may not write any more.
    """

    versions: frozenset[int] | None = None
    exists: bool = False
    absent: bool = False
    check_writer: Callable[[], None] = _any_writer

    def check(self, current: int | None) -> None:
        """Check the precondition against the current version, `None` where nothing exists.

        Raises:
            PreconditionFailed: the precondition does not hold.
        """
        self.check_writer()
        if self.absent and current is not None:
            raise PreconditionFailed(f"It exists already, at version {current}.")
        if self.exists and current is None:
            raise PreconditionFailed("It does not exist.")
        if self.versions is not None and current not in self.versions:
            there = "nothing is there" if current is None else f"the current one is {current}"
            raise PreconditionFailed(f"The version asked for is not current: {there}.")


UNGUARDED = Guard()
