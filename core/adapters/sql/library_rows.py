"""The rows of libraries in one table, read by id: what documents, chunks and entities share."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from core.adapters.sql.columns import Table
from core.adapters.sql.session import ReadSession
from core.domain.errors import NotFound

E = TypeVar("E")


class LibraryTable(Generic[E]):
    """A table with the key (`library_id`, `id`) and `id` as its first column; `noun`: its entity.

    The statements are made once. `condition`: SQL that all rows of the entity satisfy.
    """

    def __init__(self, table: Table[E], noun: str, *, condition: str = "true") -> None:
        self.noun = noun
        self.to_row = table.to_row
        self.from_row = table.from_row
        of_library = f"WHERE {condition} AND library_id = ?"
        self.get = table.select(f"{of_library} AND id = ?")
        self.get_many = table.select(f"{of_library} AND id IN ??")
        self.page = table.select(f"{of_library} AND id > ? ORDER BY id LIMIT ?")


class LibraryRows(Generic[E]):
    """A `core.ports.rows.RowReader` of the table that a subclass names."""

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
