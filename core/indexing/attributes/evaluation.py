"""The evaluation of a filter on an attribute index, cheap conditions first."""

from collections.abc import Mapping, Sequence, Set
from enum import IntEnum
from typing import Protocol, cast

from pyroaring import BitMap

from core.domain.document import Chunk, Document
from core.domain.filters import (
    And,
    Condition,
    Field,
    Filter,
    Not,
    Op,
    Or,
    Scope,
    compile_filter,
)
from core.domain.schema import FieldType
from core.indexing.attributes.column import Column
from core.indexing.attributes.sorted_values import Bound

OF_DOCUMENTS = frozenset({Scope.DOCUMENT, Scope.DOCUMENT_METADATA})
"""The scopes whose fields change when documents do."""
_TEXTS_PER_ROW = 8
"""The distinct strings that can be scanned in the time that testing one row takes."""
_BUILD_FROM = 1 / 16
"""The share of the rows below which testing them is faster than building a column."""


class Cost(IntEnum):
    """The cost of a condition: a look-up, a distinct-value scan, a new column, or a row scan."""

    LOOK_UP = 0
    DISTINCT = 1
    NEW_COLUMN = 2
    ROWS = 3


class Columns(Protocol):
    """The part of an attribute index that an evaluation needs."""

    @property
    def chunks(self) -> Sequence[Chunk]: ...
    @property
    def size(self) -> int: ...
    def has_column(self, field: Field) -> bool: ...
    def column(self, field: Field) -> Column | None: ...
    def rows_of_documents(self, ids: Set[str]) -> BitMap: ...


class Evaluation:
    """The evaluation of one filter, with the documents at one position."""

    def __init__(
        self, columns: Columns, documents: Mapping[str, Document], stale: Set[str]
    ) -> None:
        self._columns = columns
        self._documents = documents
        self._stale = stale

    def rows(self, filter_: Filter, within: BitMap) -> BitMap:
        """Return the rows of `within` that match."""
        if not within:
            return within
        match filter_:
            case And(filters):
                for inner in sorted(filters, key=self._cost):
                    within = self.rows(inner, within)
                return within
            case Or(filters):
                matches = BitMap()
                for inner in sorted(filters, key=self._cost):
                    matches |= self.rows(inner, within - matches)
                return matches
            case Not(inner):
                return within - self.rows(inner, within)
            case Condition():
                return self._condition(filter_, within)

    def _condition(self, condition: Condition, within: BitMap) -> BitMap:
        field = condition.field
        if self._is_better_tested(condition, within):
            return self._test_rows(condition, within)
        column = self._columns.column(field)
        if column is None:
            return self._test_rows(condition, within)
        matches = _look_up(column, condition, within)
        if self._stale and field.scope in OF_DOCUMENTS:
            changed = self._columns.rows_of_documents(self._stale) & within
            matches = (matches - changed) | self._test_rows(condition, changed)
        return matches

    def _cost(self, filter_: Filter) -> Cost:
        match filter_:
            case And(filters) | Or(filters):
                return max(map(self._cost, filters))
            case Not(inner):
                return self._cost(inner)
            case Condition(Field(Scope.CHUNK, "text")):
                return Cost.ROWS
            case Condition(field) if not self._columns.has_column(field):
                return Cost.NEW_COLUMN
            case Condition(_, Op.CONTAINS | Op.ICONTAINS):
                return Cost.DISTINCT
            case _:
                return Cost.LOOK_UP

    def _is_better_tested(self, condition: Condition, within: BitMap) -> bool:
        if not self._columns.has_column(condition.field):
            return len(within) < _BUILD_FROM * self._columns.size
        if self._cost(condition) is not Cost.DISTINCT:
            return False
        column = self._columns.column(condition.field)
        return column is None or len(within) * _TEXTS_PER_ROW < len(column.texts)

    def _test_rows(self, condition: Condition, within: BitMap) -> BitMap:
        matches = compile_filter(condition)
        chunks, documents = self._columns.chunks, self._documents
        return BitMap(
            [
                row
                for row in within.to_array()
                if matches(chunk := chunks[row], documents[chunk.document_id])
            ]
        )


def _look_up(column: Column, condition: Condition, within: BitMap) -> BitMap:
    """Return the rows of `within` that match by the column, which may lag behind the documents."""
    op, value = condition.op, condition.value
    instants = condition.field.type not in {FieldType.STRING, FieldType.STRING_LIST}
    match op:
        case Op.EQ:
            return within & column.equal_to(value, instants=instants)
        case Op.NE:
            return within - column.equal_to(value, instants=instants)
        case Op.IN:
            return within & column.any_of(cast("list[object]", value), instants=instants)
        case Op.NIN:
            return within - column.any_of(cast("list[object]", value), instants=instants)
        case Op.GT | Op.GTE:
            return within & column.between(Bound(value, op is Op.GTE), None, instants=instants)
        case Op.LT | Op.LTE:
            return within & column.between(None, Bound(value, op is Op.LTE), instants=instants)
        case Op.BETWEEN:
            low, high = (Bound(end, True) for end in cast("list[object]", value))
            return within & column.between(low, high, instants=instants)
        case Op.CONTAINS:
            return within & column.rows_containing(value, instants=instants)
        case Op.ICONTAINS:
            return within & column.rows_icontaining(cast("str", value))
        case Op.STARTS_WITH:
            return within & column.rows_starting_with(cast("str", value))
        case Op.EXISTS:
            return within & column.present if value else within - column.present
