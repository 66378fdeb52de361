"""Optimistic concurrency: what the caller believes of the thing it is about to write."""

from dataclasses import dataclass

from core.domain.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class Guard:
    """`versions`: one of these must be current (If-Match); `absent`: nothing may be there."""

    versions: frozenset[int] | None = None
    exists: bool = False
    absent: bool = False

    def check(self, current: int | None) -> None:
        """Compare with the version there is, `None` for nothing there.

        Raises:
            PreconditionFailed: the caller believed something else.
        """
        if self.absent and current is not None:
            raise PreconditionFailed(f"It exists already, at version {current}.")
        if self.exists and current is None:
            raise PreconditionFailed("It does not exist.")
        if self.versions is not None and current not in self.versions:
            there = "nothing is there" if current is None else f"the current one is {current}"
            raise PreconditionFailed(f"The version asked for is not current: {there}.")


UNGUARDED = Guard()
