"""What readers thought of questions that had closed, in PostgreSQL."""

from core.adapters.postgres.rows import Connection, fetch
from core.contracts.query import Feedback
from core.domain.changes import Change, FeedbackAdded

_OF = "SELECT rating, comment FROM feedback WHERE workflow_id = %s ORDER BY number"
_ADD = "INSERT INTO feedback (workflow_id, rating, comment, version) VALUES (%s, %s, %s, %s)"


class FeedbackOfQuestions:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, workflow_id: str) -> list[Feedback]:
        rows = fetch(self._connection, _OF, workflow_id)
        return [Feedback(rating=rating, comment=comment) for rating, comment in rows]


class WritableFeedback(FeedbackOfQuestions):
    def __init__(self, connection: Connection, changes: list[Change], version: int) -> None:
        super().__init__(connection)
        self._changes = changes
        self._version = version

    def add(self, workflow_id: str, feedback: Feedback) -> None:
        row = (workflow_id, feedback.rating, feedback.comment, self._version)
        self._connection.execute(_ADD, row)
        self._changes.append(FeedbackAdded(workflow_id))
