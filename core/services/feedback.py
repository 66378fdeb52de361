"""The service of feedback on closed questions; a running question's workflow keeps its own."""

from core.contracts.query import Feedback
from core.ports.store import Store
from core.services.positioned import BeforeCommit, Positioned, commit_positioned


class FeedbackService:
    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self,
        workflow_id: str,
        feedback: Feedback,
        *,
        before_commit: BeforeCommit[Feedback] | None = None,
    ) -> Positioned[Feedback]:
        """Add feedback to a question, which must exist."""
        with self._store.write() as unit:
            unit.feedback.add(workflow_id, feedback)
            return commit_positioned(unit, feedback, before_commit)

    def delete(
        self, workflow_id: str, *, before_commit: BeforeCommit[None] | None = None
    ) -> Positioned[None]:
        """Delete all feedback on a question."""
        with self._store.write() as unit:
            unit.feedback.delete(workflow_id)
            return commit_positioned(unit, None, before_commit)

    def of(self, workflow_id: str) -> Positioned[list[Feedback]]:
        """Return the feedback on a question, oldest first."""
        with self._store.read() as snapshot:
            return Positioned(snapshot.feedback.of(workflow_id), snapshot.position)
