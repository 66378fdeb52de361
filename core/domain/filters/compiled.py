"""Compiles a filter to a predicate, which is called for every chunk."""

import operator
from collections.abc import Callable, Set
from typing import TypeAlias, cast

from core.domain.document import Chunk, Document
from core.domain.filters import comparing
from core.domain.filters.comparing import ValueTest
from core.domain.filters.fields import Field, Scope
from core.domain.filters.tree import And, Condition, Filter, Not, Op, Or
from core.domain.schema import FieldType
from core.domain.values import MISSING

Predicate: TypeAlias = Callable[[Chunk, Document], bool]
"""Returns whether a chunk, with its document, matches."""


def matches(filter_: Filter, chunk: Chunk, document: Document) -> bool:
    return compile_filter(filter_)(chunk, document)


def compile_filter(filter_: Filter) -> Predicate:
    match filter_:
        case And(filters):
            return _all_of([compile_filter(inner) for inner in filters])
        case Or(filters):
            return _any_of([compile_filter(inner) for inner in filters])
        case Not(inner):
            negated = compile_filter(inner)
            return lambda chunk, document: not negated(chunk, document)
        case Condition():
            read, test = filter_.field.reader(), _value_test(filter_)
            return lambda chunk, document: test(read(chunk, document))


def ids_named_by(filter_: Filter) -> Set[str] | None:
    """Return a superset of the ids of matching chunks, or `None` if the filter names no ids."""
    match filter_:
        case Condition(Field(Scope.CHUNK, "id"), Op.EQ, value):
            return {cast("str", value)}
        case Condition(Field(Scope.CHUNK, "id"), Op.IN, values):
            return set(cast("list[str]", values))
        case And(filters):
            named = [ids for inner in filters if (ids := ids_named_by(inner)) is not None]
            return min(named, key=len, default=None)
    return None


def _all_of(predicates: list[Predicate]) -> Predicate:
    def test(chunk: Chunk, document: Document) -> bool:
        for predicate in predicates:  # noqa: SIM110  # `all` makes a generator per chunk
            if not predicate(chunk, document):
                return False
        return True

    return test


def _any_of(predicates: list[Predicate]) -> Predicate:
    def test(chunk: Chunk, document: Document) -> bool:
        for predicate in predicates:  # noqa: SIM110  # `any` makes a generator per chunk
            if predicate(chunk, document):
                return True
        return False

    return test


_COMPARISONS = {Op.GT: operator.gt, Op.GTE: operator.ge, Op.LT: operator.lt, Op.LTE: operator.le}


def _value_test(condition: Condition) -> ValueTest:
    op, value = condition.op, condition.value
    instants = condition.field.type not in {FieldType.STRING, FieldType.STRING_LIST}
    match op:
        case Op.EQ:
            return comparing.equals(value, instants=instants)
        case Op.NE:
            return _negated(comparing.equals(value, instants=instants))
        case Op.IN:
            return comparing.is_any_of(cast("list[object]", value), instants=instants)
        case Op.NIN:
            return _negated(comparing.is_any_of(cast("list[object]", value), instants=instants))
        case Op.GT | Op.GTE | Op.LT | Op.LTE:
            return comparing.compares(_COMPARISONS[op], value, instants=instants)
        case Op.BETWEEN:
            return _between(cast("list[object]", value), instants)
        case Op.CONTAINS:
            return comparing.contains(value, instants=instants)
        case Op.ICONTAINS:
            return comparing.icontains(cast("str", value))
        case Op.STARTS_WITH:
            return comparing.starts_with(cast("str", value))
        case Op.EXISTS:
            return lambda found: (found is not MISSING) is value


def _negated(test: ValueTest) -> ValueTest:
    return lambda value: not test(value)


def _between(ends: list[object], instants: bool) -> ValueTest:
    from_low = comparing.compares(operator.ge, ends[0], instants=instants)
    to_high = comparing.compares(operator.le, ends[1], instants=instants)
    return lambda value: from_low(value) and to_high(value)
