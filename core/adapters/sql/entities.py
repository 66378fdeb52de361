"""The entities of all kinds, in one table: a row is an entity's key, its version and its JSON."""

from functools import cache
from typing import TypeVar

from pydantic import JsonValue, TypeAdapter, ValidationError

from core.adapters.sql.columns import Codec, Column, Row, Table
from core.adapters.sql.library_rows import LibraryRows, LibraryTable
from core.adapters.sql.session import ReadSession, Session
from core.domain.entity import Entity
from core.domain.errors import StorageError
from core.domain.pointers import join

N = TypeVar("N", bound=Entity)

_KEY = ("library_id", "kind", "id")
_COLUMNS = [Column(name, Codec("text")) for name in ("id", "library_id", "body")]
_PUT = """
INSERT INTO entities (kind, version, id, library_id, body) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (library_id, kind, id)
DO UPDATE SET version = excluded.version, body = excluded.body
"""
_DELETE = "DELETE FROM entities WHERE kind = ? AND library_id = ? AND id = ?"


class EntityTable(Table[N]):
    """The rows of one kind; `noun` is the kind in messages."""

    def __init__(self, entity: type[N]) -> None:
        super().__init__("entities", _KEY, entity, _COLUMNS)
        self.noun = entity.kind.replace("_", " ")
        self._json = TypeAdapter(entity)
        self._json.rebuild(_types_namespace={"Json": JsonValue})  # to which `Metadata` refers

    def to_row(self, entity: N) -> Row:
        return (entity.id, entity.library_id, self._json.dump_json(entity).decode())

    def from_row(self, row: Row) -> N:
        """Return the entity of a row.

        Raises:
            StorageError: the JSON has not exactly the attributes of the class.
        """
        id_, library_id, body = row
        try:
            return self._json.validate_json(body, strict=True, extra="forbid")
        except ValidationError as error:
            fault = error.errors()[0]
            raise StorageError(
                f"The {self.noun} {id_!r} of the library {library_id!r} is on record in a shape"
                f" that this program does not know: {fault['msg']} at {join('', *fault['loc'])}."
            ) from error


@cache
def _table_of(entity: type[N]) -> LibraryTable[N]:
    table = EntityTable(entity)
    return LibraryTable(table, table.noun, condition=f"kind = '{entity.kind}'")


class Entities(LibraryRows[N]):
    """The entities of one class."""

    def __init__(self, session: ReadSession, entity: type[N]) -> None:
        super().__init__(session)
        self._kind = entity.kind
        self._table = _table_of(entity)


class WritableEntities(Entities[N]):
    _session: Session

    def __init__(self, session: Session, entity: type[N], version: int) -> None:
        super().__init__(session, entity)
        self._version = version

    def put(self, entity: N) -> None:
        self._session.execute(_PUT, self._kind, self._version, *self._table.to_row(entity))

    def delete(self, library_id: str, id_: str) -> None:
        self._session.execute(_DELETE, self._kind, library_id, id_)
