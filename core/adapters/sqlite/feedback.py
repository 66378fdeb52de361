"""What readers thought of questions that had closed, in SQLite."""

import apsw

from core.adapters.sqlite.rows import fetch
from core.contracts.query import Feedback
from core.domain.changes import Change, FeedbackAdded

_OF = "SELECT rating, comment FROM feedback WHERE workflow_id = ? ORDER BY number"
_ADD = "INSERT INTO feedback (workflow_id, rating, comment, version) VALUES (?, ?, ?, ?)"


class FeedbackOfQuestions:
    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def of(self, workflow_id: str) -> list[Feedback]:
        rows = fetch(self._connection, _OF, workflow_id)
        return [Feedback(rating=rating, comment=comment) for rating, comment in rows]


class WritableFeedback(FeedbackOfQuestions):
    def __init__(self, connection: apsw.Connection, changes: list[Change], version: int) -> None:
        super().__init__(connection)
        self._changes = changes
        self._version = version

    def add(self, workflow_id: str, feedback: Feedback) -> None:
        row = (workflow_id, feedback.rating, feedback.comment, self._version)
        self._connection.execute(_ADD, row)
        self._changes.append(FeedbackAdded(workflow_id))
