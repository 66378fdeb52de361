"""Chunks and their embeddings."""

from collections.abc import Iterator, Sequence

from core.adapters.sql.columns import Row
from core.adapters.sql.library_rows import LibraryRows, LibraryTable
from core.adapters.sql.rows import CHUNKS, EMBEDDING, to_embedded, to_embedding
from core.adapters.sql.session import Session
from core.domain.changes import Change, ChunksDeleted, ChunksPut
from core.domain.document import Chunk, EmbeddedChunk, EmbeddingsById
from core.ports.rows import AppendPoint

_SCAN_ROWS = 1000

_EMBEDDINGS = "SELECT id, embedding FROM chunks WHERE library_id = ? AND id IN ??"
_EMBEDDED = CHUNKS.select("WHERE library_id = ? AND id IN ??", [EMBEDDING])
_PAGE_OF_DOCUMENT = CHUNKS.select(
    "WHERE library_id = ? AND document_id = ? AND (ordinal, id) > (?, ?)"
    " ORDER BY ordinal, id LIMIT ?"
)
_SCAN = CHUNKS.select("WHERE library_id = ? AND id > ? ORDER BY id LIMIT ?", [EMBEDDING])
_NEXT_ORDINAL = """
SELECT coalesce(max(ordinal) + 1, 0) FROM chunks WHERE library_id = ? AND document_id = ?
"""
_APPEND_POINT = """
SELECT (SELECT version FROM libraries WHERE id = ?),
    (SELECT 1 FROM documents WHERE library_id = ? AND id = ?),
    (SELECT coalesce(max(ordinal) + 1, 0) FROM chunks WHERE library_id = ? AND document_id = ?),
    (SELECT min(id) FROM chunks WHERE library_id = ? AND id IN ??)
"""
_ANY = "SELECT 1 FROM chunks WHERE library_id = ? LIMIT 1"
_DELETE = "DELETE FROM chunks WHERE library_id = ? AND id IN ?? RETURNING id"
_DELETE_OF_DOCUMENT = "DELETE FROM chunks WHERE library_id = ? AND document_id = ? RETURNING id"


class Chunks(LibraryRows[Chunk]):
    _table = LibraryTable(CHUNKS, "chunk")

    def embeddings(self, library_id: str, chunk_ids: Sequence[str]) -> EmbeddingsById:
        rows = self._session.fetch(_EMBEDDINGS, library_id, list(chunk_ids))
        return {chunk_id: to_embedding(blob) for chunk_id, blob in rows}

    def get_many_embedded(self, library_id: str, chunk_ids: Sequence[str]) -> list[EmbeddedChunk]:
        rows = self._session.fetch(_EMBEDDED, library_id, list(chunk_ids))
        return [to_embedded(row) for row in rows]

    def page_of_document(
        self, library_id: str, document_id: str, *, after: tuple[int, str] | None, limit: int
    ) -> list[Chunk]:
        ordinal, chunk_id = after or (-1, "")
        rows = self._session.fetch(
            _PAGE_OF_DOCUMENT, library_id, document_id, ordinal, chunk_id, limit
        )
        return [CHUNKS.from_row(row) for row in rows]

    def next_ordinal(self, library_id: str, document_id: str) -> int:
        ((ordinal,),) = self._session.fetch(_NEXT_ORDINAL, library_id, document_id)
        return int(ordinal)

    def any(self, library_id: str) -> bool:
        return bool(self._session.fetch(_ANY, library_id))

    def scan(self, library_id: str) -> Iterator[EmbeddedChunk]:
        after = ""
        while rows := self._session.fetch(_SCAN, library_id, after, _SCAN_ROWS):
            yield from map(to_embedded, rows)
            after = rows[-1][0]


class WritableChunks(Chunks):
    _session: Session

    def __init__(self, session: Session, changes: list[Change]) -> None:
        super().__init__(session)
        self._changes = changes

    def append_point(
        self, library_id: str, document_id: str, chunk_ids: Sequence[str]
    ) -> AppendPoint:
        ((version, document, ordinal, taken),) = self._session.fetch(
            _APPEND_POINT,
            library_id,
            *(library_id, document_id) * 2,
            library_id,
            list(chunk_ids),
        )
        return AppendPoint(version, document is not None, int(ordinal), taken)

    def put(self, library_id: str, rows: Sequence[EmbeddedChunk]) -> None:
        if rows:
            self._session.put_chunks(rows)
            self._changes.append(ChunksPut(library_id, tuple(rows)))

    def delete(self, library_id: str, chunk_ids: Sequence[str]) -> int:
        rows = self._session.fetch_changed(_DELETE, library_id, list(chunk_ids))
        return self._log_deletion(library_id, rows)

    def delete_of_document(self, library_id: str, document_id: str) -> int:
        rows = self._session.fetch_changed(_DELETE_OF_DOCUMENT, library_id, document_id)
        return self._log_deletion(library_id, rows)

    def _log_deletion(self, library_id: str, rows: list[Row]) -> int:
        if rows:
            self._changes.append(ChunksDeleted(library_id, tuple(row[0] for row in rows)))
        return len(rows)
