"""Libraries."""

from core.adapters.rows import from_library, to_library
from core.adapters.tables.session import Session
from core.domain.changes import Change, LibraryDeleted, LibraryPut
from core.domain.errors import Conflict, NotFound
from core.domain.library import Library

# An id wins over a name of the same letters.
_GET = """
SELECT id, name, description, metadata, metadata_schema, dimension, metric, "index",
    embedding_model, version, created_at, updated_at, language
FROM libraries WHERE id = ? OR name = ? ORDER BY id = ? DESC LIMIT 1
"""
_PAGE = """
SELECT id, name, description, metadata, metadata_schema, dimension, metric, "index",
    embedding_model, version, created_at, updated_at, language
FROM libraries
WHERE id > ? AND (CAST(? AS TEXT) IS NULL OR name = ?) ORDER BY id LIMIT ?
"""
_NAMED = "SELECT 1 FROM libraries WHERE name = ? AND id <> ?"
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
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, ref: str) -> Library:
        rows = self._session.fetch(_GET, ref, ref, ref)
        if not rows:
            raise NotFound("library", ref)
        return to_library(rows[0])

    def page(self, *, after: str | None, limit: int, name: str | None = None) -> list[Library]:
        rows = self._session.fetch(_PAGE, after or "", name, name, limit)
        return [to_library(row) for row in rows]


class WritableLibraries(Libraries):
    def __init__(self, session: Session, changes: list[Change]) -> None:
        super().__init__(session)
        self._changes = changes

    def put(self, library: Library) -> None:
        # Looked up first, because a unique violation may end the transaction. There is one
        # writer at a time, so the name stays free.
        if self._session.fetch(_NAMED, library.name, library.id):
            raise Conflict(f"Another library has the name {library.name!r}.")
        self._session.execute(_PUT, *from_library(library))
        self._changes.append(LibraryPut(library))

    def delete(self, library_id: str) -> None:
        if self._session.fetch(_DELETE, library_id):
            self._changes.append(LibraryDeleted(library_id))
