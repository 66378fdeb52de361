"""Documents."""

from collections.abc import Sequence

from core.adapters.sql.chunks import WritableChunks
from core.adapters.sql.rows import DOCUMENTS
from core.adapters.sql.session import ReadSession, Session
from core.domain.changes import Change, DocumentDeleted, DocumentPut
from core.domain.document import Document
from core.domain.errors import NotFound

_GET = DOCUMENTS.select("WHERE library_id = ? AND id = ?")
_EXISTING = DOCUMENTS.select("WHERE library_id = ? AND id IN ??")
_PAGE = DOCUMENTS.select("WHERE library_id = ? AND id > ? ORDER BY id LIMIT ?")
_PUT = DOCUMENTS.upsert_row()
_DELETE = "DELETE FROM documents WHERE library_id = ? AND id = ? RETURNING id"


class Documents:
    def __init__(self, session: ReadSession) -> None:
        self._session = session

    def get(self, library_id: str, document_id: str) -> Document:
        rows = self._session.fetch(_GET, library_id, document_id)
        if not rows:
            raise NotFound("document", document_id)
        return DOCUMENTS.from_row(rows[0])

    def get_many(self, library_id: str, document_ids: Sequence[str]) -> dict[str, Document]:
        rows = self._session.fetch(_EXISTING, library_id, list(document_ids))
        return {row[0]: DOCUMENTS.from_row(row) for row in rows}

    def page(self, library_id: str, *, after: str | None, limit: int) -> list[Document]:
        rows = self._session.fetch(_PAGE, library_id, after or "", limit)
        return [DOCUMENTS.from_row(row) for row in rows]


class WritableDocuments(Documents):
    _session: Session

    def __init__(self, session: Session, changes: list[Change], chunks: WritableChunks) -> None:
        super().__init__(session)
        self._changes = changes
        self._chunks = chunks

    def put(self, document: Document) -> None:
        self._session.execute(_PUT, *DOCUMENTS.to_row(document))
        self._changes.append(DocumentPut(document))

    def delete(self, library_id: str, document_id: str) -> None:
        self._chunks.delete_of_document(library_id, document_id)
        if self._session.fetch_changed(_DELETE, library_id, document_id):
            self._changes.append(DocumentDeleted(library_id, document_id))
