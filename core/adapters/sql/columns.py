"""A table as the list of its columns, from which its statements and its rows are made.

A new column is one line of a list, one attribute of the entity, and a migration of each engine.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeAlias, TypeVar

Row: TypeAlias = tuple[Any, ...]

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Codec:
    """The stored form of a value: `kind` is PostgreSQL's type; `None` stores a value as it is."""

    kind: str
    encode: Callable[[Any], object] | None = None
    decode: Callable[[Any], object] | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `name` is the entity's attribute as well. `read`: SQL that reads the attribute."""

    name: str
    codec: Codec
    read: str | None = None


class Table(Generic[E]):
    """A table whose rows are entities; the columns are in the order of the entity's attributes.

    `reset`: other columns, which are NULL in a row that was just put.
    """

    def __init__(
        self,
        name: str,
        key: Sequence[str],
        entity: Callable[..., E],
        columns: Sequence[Column],
        *,
        reset: Sequence[str] = (),
    ) -> None:
        self.name = name
        self._reset = tuple(reset)
        self.key = tuple(key)
        self.columns = tuple(columns)
        self._entity = entity
        self._attributes = attrgetter(*(column.name for column in columns))
        self._encoders = list(_steps(column.codec.encode for column in columns))
        self._decoders = list(_steps(column.codec.decode for column in columns))

    def to_row(self, entity: E) -> Row:
        """Return the entity's values as they are stored, in the order of the columns."""
        return _convert(self._attributes(entity), self._encoders)

    def from_row(self, row: Row) -> E:
        """Return the entity of a row with the table's columns, in their order."""
        return self._entity(*_convert(row, self._decoders))

    def select(self, rest: str, more: Sequence[Column] = ()) -> str:
        """Return a statement that selects all columns, then `more`; `rest` follows the table."""
        names = ", ".join(c.read or _quote(c.name) for c in [*self.columns, *more])
        return f"SELECT {names} FROM {self.name} {rest}"  # noqa: S608  # names of our own

    def upsert(self, source: str, more: Sequence[Column] = ()) -> str:
        """Return a statement that puts the rows of `source`, with the columns `more` as well."""
        columns = [*self.columns, *more]
        changed = [column for column in columns if column.name not in self.key]
        updates = ", ".join(
            [
                *(f"{_quote(c.name)} = excluded.{_quote(c.name)}" for c in changed),
                *(f"{_quote(name)} = NULL" for name in self._reset),
            ]
        )
        return (
            f"INSERT INTO {self.name} ({names_of(columns)}) {source}"  # names of our own
            f" ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {updates}"
        )

    def upsert_row(self, more: Sequence[Column] = ()) -> str:
        """Return a statement that puts one row, whose values are bound."""
        marks = ", ".join("?" * (len(self.columns) + len(more)))
        return self.upsert(f"VALUES ({marks})", more)


def names_of(columns: Sequence[Column]) -> str:
    return ", ".join(_quote(column.name) for column in columns)


def _quote(name: str) -> str:
    return f'"{name}"'


_Step: TypeAlias = tuple[int, Callable[[Any], object]]


def _steps(conversions: Iterator[Callable[[Any], object] | None]) -> Iterator[_Step]:
    """Yield the conversions that change a value, with the index of their column."""
    return ((i, convert) for i, convert in enumerate(conversions) if convert is not None)


def _convert(values: Row, steps: Sequence[_Step]) -> Row:
    converted = list(values)
    for i, convert in steps:
        converted[i] = convert(converted[i])
    return tuple(converted)
