"""The rows of libraries in one table, read by id: what documents and chunks share."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from core.adapters.sql.columns import Table
from core.adapters.sql.session import ReadSession
from core.domain.errors import NotFound

E = TypeVar("E")


class LibraryTable(Generic[E]):
    """A table with the key (`library_id`, `id`) and `id` as its first column; `noun`: its entity.

    The statements are made once, when the module is imported.
    """

    def __init__(self, table: Table[E], noun: str) -> None:
        self.noun = noun
        self.from_row = table.from_row
        self.get = table.select("WHERE library_id = ? AND id = ?")
        self.get_many = table.select("WHERE library_id = ? AND id IN ??")
        self.page = table.select("WHERE library_id = ? AND id > ? ORDER BY id LIMIT ?")


class LibraryRows(Generic[E]):
    """A `core.ports.store.RowReader` of the table that a subclass names."""

    _table: LibraryTable[E]

    def __init__(self, session: ReadSession) -> None:
        self._session = session

    def get(self, library_id: str, id_: str) -> E:
        rows = self._session.fetch(self._table.get, library_id, id_)
        if not rows:
            raise NotFound(self._table.noun, id_)
        return self._table.from_row(rows[0])

    def get_many(self, library_id: str, ids: Sequence[str]) -> dict[str, E]:
        rows = self._session.fetch(self._table.get_many, library_id, list(ids))
        return {row[0]: self._table.from_row(row) for row in rows}

    def page(self, library_id: str, *, after: str | None, limit: int) -> list[E]:
        rows = self._session.fetch(self._table.page, library_id, after or "", limit)
        return [self._table.from_row(row) for row in rows]
