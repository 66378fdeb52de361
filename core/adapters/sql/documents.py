"""Documents."""

from core.adapters.sql.chunks import WritableChunks
from core.adapters.sql.library_rows import LibraryRows, LibraryTable
from core.adapters.sql.rows import DOCUMENTS
from core.adapters.sql.session import Session
from core.domain.changes import Change, DocumentDeleted, DocumentPut
from core.domain.document import Document

_PUT = DOCUMENTS.upsert_row()
_DELETE = "DELETE FROM documents WHERE library_id = ? AND id = ? RETURNING id"


class Documents(LibraryRows[Document]):
    _table = LibraryTable(DOCUMENTS, "document")


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
