"""Libraries in SQLite."""

import apsw

from core.adapters.rows import from_library, to_library
from core.adapters.sqlite.rows import fetch
from core.domain.changes import Change, LibraryDeleted, LibraryPut
from core.domain.errors import Conflict, NotFound
from core.domain.library import Library

# An id wins over a name of the same letters.
_GET = """
SELECT id, name, description, metadata, metadata_schema, dimension, metric, "index",
    embedding_model, version, created_at, updated_at, language
FROM libraries WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC LIMIT 1
"""
_PAGE = """
SELECT id, name, description, metadata, metadata_schema, dimension, metric, "index",
    embedding_model, version, created_at, updated_at, language
FROM libraries WHERE id > ?1 AND (?2 IS NULL OR name = ?2) ORDER BY id LIMIT ?3
"""
_PUT = """
INSERT INTO libraries (id, name, description, metadata, metadata_schema, dimension, metric,
    "index", embedding_model, version, created_at, updated_at, language)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description,
    metadata = excluded.metadata, metadata_schema = excluded.metadata_schema,
    dimension = excluded.dimension, metric = excluded.metric, "index" = excluded."index",
    embedding_model = excluded.embedding_model, version = excluded.version,
    created_at = excluded.created_at, updated_at = excluded.updated_at,
    language = excluded.language
"""
_DELETE = "DELETE FROM libraries WHERE id = ? RETURNING id"


class Libraries:
    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def get(self, ref: str) -> Library:
        rows = fetch(self._connection, _GET, ref)
        if not rows:
            raise NotFound("library", ref)
        return to_library(rows[0])

    def page(self, *, after: str | None, limit: int, name: str | None = None) -> list[Library]:
        rows = fetch(self._connection, _PAGE, after or "", name, limit)
        return [to_library(row) for row in rows]


class WritableLibraries(Libraries):
    def __init__(self, connection: apsw.Connection, changes: list[Change]) -> None:
        super().__init__(connection)
        self._changes = changes

    def put(self, library: Library) -> None:
        try:
            self._connection.execute(_PUT, from_library(library))
        except apsw.ConstraintError as error:
            raise Conflict(f"Another library has the name {library.name!r}.") from error
        self._changes.append(LibraryPut(library))

    def delete(self, library_id: str) -> None:
        if fetch(self._connection, _DELETE, library_id):
            self._changes.append(LibraryDeleted(library_id))
