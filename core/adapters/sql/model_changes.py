"""The last change of each library's embedding model."""

from core.adapters.sql.rows import MODEL_CHANGES
from core.adapters.sql.session import ReadSession, Session
from core.domain.model_change import ModelChange

_GET = MODEL_CHANGES.select("WHERE library_id = ?")
_PUT = MODEL_CHANGES.upsert_row()
_DELETE = "DELETE FROM model_changes WHERE library_id = ?"


class ModelChanges:
    def __init__(self, session: ReadSession) -> None:
        self._session = session

    def get(self, library_id: str) -> ModelChange | None:
        rows = self._session.fetch(_GET, library_id)
        return MODEL_CHANGES.from_row(rows[0]) if rows else None


class WritableModelChanges(ModelChanges):
    _session: Session

    def __init__(self, session: Session) -> None:
        super().__init__(session)

    def put(self, change: ModelChange) -> None:
        self._session.execute(_PUT, *MODEL_CHANGES.to_row(change))

    def delete(self, library_id: str) -> None:
        self._session.execute(_DELETE, library_id)
