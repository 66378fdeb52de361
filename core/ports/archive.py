"""The port of the archive of finished questions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

DELETED = "deleted"
"""The status of a question that was deleted."""


@dataclass(frozen=True, slots=True)
class ArchivedQuestion:
    """A finished question; `query` is its beginning, and `content` all that is known, as JSON.

    `stage`: the last one that began.
    """

    workflow_id: str
    library_id: str | None
    status: str
    query: str | None
    stage: str | None
    started_at: datetime
    ended_at: datetime
    content: str

    @property
    def is_deleted(self) -> bool:
        """Return whether it was deleted, at `ended_at`; then only the id is known."""
        return self.status == DELETED


@dataclass(frozen=True, slots=True)
class ArchiveFilter:
    """The conditions of a listing: `since` or later, and before `until`, by the start."""

    library_id: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ArchivePlace:
    """A place in the listing: behind the question of this id, which ended then.

    An empty id is before all questions that ended then.
    """

    ended_at: datetime
    workflow_id: str = ""


class QuestionArchive(Protocol):
    """Finished questions, and which ones were deleted.

    Every method raises `StorageError` if the disk or the database fails, and `Unavailable` if the
    database can't be reached for now.
    """

    def put(self, question: ArchivedQuestion) -> None:
        """Archive a question, durably, unless it was deleted."""
        ...

    def get(self, workflow_id: str) -> ArchivedQuestion | None:
        """Return the question, also if it was deleted; `None` if it is unknown."""
        ...

    def missing(self, workflow_ids: Sequence[str]) -> list[str]:
        """Return the ids of questions that are neither archived nor deleted."""
        ...

    def deleted(self, workflow_ids: Sequence[str]) -> Collection[str]:
        """Return the ids of deleted questions."""
        ...

    def page(
        self, condition: ArchiveFilter, after: ArchivePlace, *, limit: int
    ) -> list[ArchivedQuestion]:
        """Return the next questions behind a place; those that ended last come first."""
        ...

    def delete(self, workflow_id: str, at: datetime) -> None:
        """Delete all that is known of a question but its id, durably, archived or not."""
        ...

    def trim(self, before: datetime) -> int:
        """Delete the questions that ended, or were deleted, before a time; return how many."""
        ...

    def close(self) -> None: ...
