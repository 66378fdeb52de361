"""Libraries."""

from core.adapters.sql.rows import LIBRARIES
from core.adapters.sql.session import ReadSession, Session
from core.domain.changes import Change, LibraryDeleted, LibraryPut
from core.domain.errors import Conflict, NotFound
from core.domain.library import Library

# An id wins over a name of the same letters.
_GET = LIBRARIES.select("WHERE id = ? OR name = ? ORDER BY id = ? DESC LIMIT 1")
_PAGE = LIBRARIES.select(
    "WHERE id > ? AND (CAST(? AS TEXT) IS NULL OR name = ?) ORDER BY id LIMIT ?"
)
_NAMED = "SELECT 1 FROM libraries WHERE name = ? AND id <> ?"
_PUT = LIBRARIES.upsert_row()
_DELETE = "DELETE FROM libraries WHERE id = ? RETURNING id"


class Libraries:
    def __init__(self, session: ReadSession) -> None:
        self._session = session

    def get(self, ref: str) -> Library:
        rows = self._session.fetch(_GET, ref, ref, ref)
        if not rows:
            raise NotFound("library", ref)
        return LIBRARIES.from_row(rows[0])

    def page(self, *, after: str | None, limit: int, name: str | None = None) -> list[Library]:
        rows = self._session.fetch(_PAGE, after or "", name, name, limit)
        return [LIBRARIES.from_row(row) for row in rows]


class WritableLibraries(Libraries):
    _session: Session

    def __init__(self, session: Session, changes: list[Change]) -> None:
        super().__init__(session)
        self._changes = changes

    def put(self, library: Library) -> None:
        # Looked up first, because a unique violation may end the transaction. There is one
        # writer at a time, so the name stays free.
        if self._session.fetch(_NAMED, library.name, library.id):
            raise Conflict(f"Another library has the name {library.name!r}.")
        self._session.execute(_PUT, *LIBRARIES.to_row(library))
        self._changes.append(LibraryPut(library))

    def delete(self, library_id: str) -> None:
        if self._session.fetch_changed(_DELETE, library_id):
            self._changes.append(LibraryDeleted(library_id))
