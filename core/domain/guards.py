"""Optimistic concurrency control: preconditions on the version that a write replaces."""

from dataclasses import dataclass

from core.domain.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class Guard:
    """The precondition of a write.

    `versions`: one of them must be current (If-Match). `exists`: the resource must exist.
    `absent`: the resource must not exist. `ingestion`: the writer, which must not be cancelled; the
    service checks it against the record.
    """

    versions: frozenset[int] | None = None
    exists: bool = False
    absent: bool = False
    ingestion: str | None = None

    def check(self, current: int | None) -> None:
        """Check the precondition against the current version, `None` where nothing exists.

        Raises:
            PreconditionFailed: the precondition does not hold.
        """
        if self.absent and current is not None:
            raise PreconditionFailed(f"The resource already exists, with version {current}.")
        if self.exists and current is None:
            raise PreconditionFailed("The resource does not exist.")
        if self.versions is not None and current not in self.versions:
            there = "does not exist" if current is None else f"has version {current}"
            raise PreconditionFailed(f"The resource {there}, and If-Match names another version.")


UNGUARDED = Guard()
