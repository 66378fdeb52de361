"""Cancelled ingestions, whose writes the API refuses.

A document that is being embedded when its ingestion is cancelled, or whose worker was killed, is
refused in its write's transaction. So the removal, a later transaction, misses no document. The
register is in memory: no write that is under way outlives the process.
"""

from core.domain.errors import PreconditionFailed

MAX_REMEMBERED = 10_000


class CancelledIngestions:
    """The latest cancelled ingestions, by workflow id."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}

    def add(self, workflow_id: str) -> None:
        self._ids[workflow_id] = None
        while len(self._ids) > MAX_REMEMBERED:
            del self._ids[next(iter(self._ids))]

    def check(self, workflow_id: str) -> None:
        """Check that the ingestion may write.

        Raises:
            PreconditionFailed: the ingestion is cancelled.
        """
        if workflow_id in self._ids:
            raise PreconditionFailed(f"The ingestion {workflow_id} is cancelled.")
