"""Libraries in PostgreSQL."""

from core.adapters.postgres.rows import Connection, fetch
from core.adapters.rows import from_library, to_library
from core.domain.changes import Change, LibraryDeleted, LibraryPut
from core.domain.errors import Conflict, NotFound
from core.domain.library import Library

# An id wins over a name of the same letters.
_GET = """
SELECT id, name, description, metadata, metadata_schema, dimension, metric, index,
    embedding_model, version, created_at, updated_at, language
FROM libraries WHERE id = %s OR name = %s ORDER BY id = %s DESC LIMIT 1
"""
_PAGE = """
SELECT id, name, description, metadata, metadata_schema, dimension, metric, index,
    embedding_model, version, created_at, updated_at, language
FROM libraries
WHERE id > %s AND (%s::text IS NULL OR name = %s) ORDER BY id LIMIT %s
"""
_NAMED = "SELECT 1 FROM libraries WHERE name = %s AND id <> %s"
_PUT = """
INSERT INTO libraries (id, name, description, metadata, metadata_schema, dimension, metric,
    index, embedding_model, version, created_at, updated_at, language)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description,
    metadata = excluded.metadata, metadata_schema = excluded.metadata_schema,
    dimension = excluded.dimension, metric = excluded.metric, index = excluded.index,
    embedding_model = excluded.embedding_model, version = excluded.version,
    created_at = excluded.created_at, updated_at = excluded.updated_at,
    language = excluded.language
"""
_DELETE = "DELETE FROM libraries WHERE id = %s RETURNING id"


class Libraries:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, ref: str) -> Library:
        rows = fetch(self._connection, _GET, ref, ref, ref)
        if not rows:
            raise NotFound("library", ref)
        return to_library(rows[0])

    def page(self, *, after: str | None, limit: int, name: str | None = None) -> list[Library]:
        rows = fetch(self._connection, _PAGE, after or "", name, name, limit)
        return [to_library(row) for row in rows]


class WritableLibraries(Libraries):
    def __init__(self, connection: Connection, changes: list[Change]) -> None:
        super().__init__(connection)
        self._changes = changes

    def put(self, library: Library) -> None:
        # Looked up first, as an error would end the transaction; nobody else writes meanwhile.
        if fetch(self._connection, _NAMED, library.name, library.id):
            raise Conflict(f"Another library has the name {library.name!r}.")
        self._connection.execute(_PUT, from_library(library))
        self._changes.append(LibraryPut(library))

    def delete(self, library_id: str) -> None:
        if fetch(self._connection, _DELETE, library_id):
            self._changes.append(LibraryDeleted(library_id))
