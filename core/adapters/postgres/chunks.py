"""Chunks and their embeddings in PostgreSQL."""

from collections.abc import Iterator, Sequence

from core.adapters.postgres.rows import Connection, columns_of, fetch
from core.adapters.rows import Row, from_chunk, to_chunk, to_embedded, to_embedding
from core.domain.changes import Change, ChunksDeleted, ChunksPut
from core.domain.document import Chunk, EmbeddedChunk, EmbeddingsById
from core.domain.errors import NotFound

_SCAN_ROWS = 1000

_EXISTING = """
SELECT id, library_id, document_id, ordinal, text, metadata, version, created_at, updated_at
FROM chunks WHERE library_id = %s AND id = ANY(%s)
"""
_EMBEDDINGS = "SELECT id, embedding FROM chunks WHERE library_id = %s AND id = ANY(%s)"
_EMBEDDED = """
SELECT id, library_id, document_id, ordinal, text, metadata, version, created_at, updated_at,
    embedding
FROM chunks WHERE library_id = %s AND id = ANY(%s)
"""
_PAGE = """
SELECT id, library_id, document_id, ordinal, text, metadata, version, created_at, updated_at
FROM chunks WHERE library_id = %s AND id > %s ORDER BY id LIMIT %s
"""
_PAGE_OF_DOCUMENT = """
SELECT id, library_id, document_id, ordinal, text, metadata, version, created_at, updated_at
FROM chunks WHERE library_id = %s AND document_id = %s AND (ordinal, id) > (%s, %s)
ORDER BY ordinal, id LIMIT %s
"""
_SCAN = """
SELECT id, library_id, document_id, ordinal, text, metadata, version, created_at, updated_at,
    embedding
FROM chunks WHERE library_id = %s AND id > %s ORDER BY id LIMIT %s
"""
_NEXT_ORDINAL = """
SELECT coalesce(max(ordinal) + 1, 0) FROM chunks WHERE library_id = %s AND document_id = %s
"""
_ANY = "SELECT 1 FROM chunks WHERE library_id = %s LIMIT 1"
# One statement for all rows: a third less time than one for each, and half the client's work.
_PUT = """
INSERT INTO chunks (id, library_id, document_id, ordinal, text, metadata, version, created_at,
    updated_at, embedding)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::text[],
    %b::bigint[], %s::timestamptz[], %s::timestamptz[], %b::bytea[])
ON CONFLICT (library_id, id) DO UPDATE SET document_id = excluded.document_id,
    ordinal = excluded.ordinal, text = excluded.text, metadata = excluded.metadata,
    version = excluded.version, created_at = excluded.created_at,
    updated_at = excluded.updated_at, embedding = excluded.embedding
"""
_DELETE = "DELETE FROM chunks WHERE library_id = %s AND id = ANY(%s) RETURNING id"
_DELETE_OF_DOCUMENT = "DELETE FROM chunks WHERE library_id = %s AND document_id = %s RETURNING id"


class Chunks:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, library_id: str, chunk_id: str) -> Chunk:
        found = self.existing(library_id, [chunk_id])
        if not found:
            raise NotFound("chunk", chunk_id)
        return found[chunk_id]

    def existing(self, library_id: str, chunk_ids: Sequence[str]) -> dict[str, Chunk]:
        rows = fetch(self._connection, _EXISTING, library_id, list(chunk_ids))
        return {row[0]: to_chunk(row) for row in rows}

    def embeddings(self, library_id: str, chunk_ids: Sequence[str]) -> EmbeddingsById:
        rows = fetch(self._connection, _EMBEDDINGS, library_id, list(chunk_ids))
        return {chunk_id: to_embedding(blob) for chunk_id, blob in rows}

    def embedded(self, library_id: str, chunk_ids: Sequence[str]) -> list[EmbeddedChunk]:
        rows = fetch(self._connection, _EMBEDDED, library_id, list(chunk_ids))
        return [to_embedded(row) for row in rows]

    def page(self, library_id: str, *, after: str | None, limit: int) -> list[Chunk]:
        rows = fetch(self._connection, _PAGE, library_id, after or "", limit)
        return [to_chunk(row) for row in rows]

    def page_of_document(
        self, library_id: str, document_id: str, *, after: tuple[int, str] | None, limit: int
    ) -> list[Chunk]:
        ordinal, chunk_id = after or (-1, "")
        rows = fetch(
            self._connection, _PAGE_OF_DOCUMENT, library_id, document_id, ordinal, chunk_id, limit
        )
        return [to_chunk(row) for row in rows]

    def next_ordinal(self, library_id: str, document_id: str) -> int:
        ((ordinal,),) = fetch(self._connection, _NEXT_ORDINAL, library_id, document_id)
        return int(ordinal)

    def any(self, library_id: str) -> bool:
        return bool(fetch(self._connection, _ANY, library_id))

    def scan(self, library_id: str) -> Iterator[EmbeddedChunk]:
        after = ""
        while rows := fetch(self._connection, _SCAN, library_id, after, _SCAN_ROWS):
            yield from map(to_embedded, rows)
            after = rows[-1][0]


class WritableChunks(Chunks):
    def __init__(self, connection: Connection, changes: list[Change]) -> None:
        super().__init__(connection)
        self._changes = changes

    def put(self, library_id: str, rows: Sequence[EmbeddedChunk]) -> None:
        if rows:
            # A statement may replace a row once only; the last of an id is the one that counts.
            last = {row.chunk.id: from_chunk(row) for row in rows}
            self._connection.execute(_PUT, columns_of(list(last.values())))
            self._changes.append(ChunksPut(library_id, tuple(rows)))

    def delete(self, library_id: str, chunk_ids: Sequence[str]) -> int:
        gone = fetch(self._connection, _DELETE, library_id, list(chunk_ids))
        return self._deleted(library_id, gone)

    def delete_of_document(self, library_id: str, document_id: str) -> int:
        gone = fetch(self._connection, _DELETE_OF_DOCUMENT, library_id, document_id)
        return self._deleted(library_id, gone)

    def _deleted(self, library_id: str, gone: list[Row]) -> int:
        if gone:
            self._changes.append(ChunksDeleted(library_id, tuple(row[0] for row in gone)))
        return len(gone)
