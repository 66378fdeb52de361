"""What readers thought of questions that had closed; while one runs, it takes that in itself."""

from core.contracts.query import Feedback
from core.ports.store import Store
from core.services.positioned import At, Within, committed


class FeedbackService:
    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self, workflow_id: str, feedback: Feedback, *, within: Within[Feedback] | None = None
    ) -> At[Feedback]:
        """Of a question that is known to be there."""
        with self._store.write() as unit:
            unit.feedback.add(workflow_id, feedback)
            return committed(unit, feedback, within)

    def of(self, workflow_id: str) -> At[list[Feedback]]:
        """In the order in which it was added."""
        with self._store.read() as snapshot:
            return At(snapshot.feedback.of(workflow_id), snapshot.position)
