"""Readers' feedback on answers, added after the question's workflow closed."""

from core.adapters.sql.session import ReadSession, Session
from core.contracts.query import Feedback
from core.domain.changes import Change, FeedbackAdded

_OF = "SELECT rating, comment FROM feedback WHERE workflow_id = ? ORDER BY number"
_DELETE = "DELETE FROM feedback WHERE workflow_id = ?"
_ADD = "INSERT INTO feedback (workflow_id, rating, comment, version) VALUES (?, ?, ?, ?)"


class FeedbackOfQuestions:
    def __init__(self, session: ReadSession) -> None:
        self._session = session

    def of(self, workflow_id: str) -> list[Feedback]:
        rows = self._session.fetch(_OF, workflow_id)
        return [Feedback(rating=rating, comment=comment) for rating, comment in rows]


class WritableFeedback(FeedbackOfQuestions):
    _session: Session

    def __init__(self, session: Session, changes: list[Change], version: int) -> None:
        super().__init__(session)
        self._changes = changes
        self._version = version

    def add(self, workflow_id: str, feedback: Feedback) -> None:
        row = (workflow_id, feedback.rating, feedback.comment, self._version)
        self._session.execute(_ADD, *row)
        self._changes.append(FeedbackAdded(workflow_id))

    def delete(self, workflow_id: str) -> None:
        self._session.execute(_DELETE, workflow_id)
