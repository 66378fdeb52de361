"""Compiles a filter to a predicate, which is called for every chunk."""

from collections.abc import Callable, Set
from typing import TypeAlias, cast

from core.domain.document import Chunk, Document
from core.domain.filters.fields import Field, Scope
from core.domain.filters.operators import value_test
from core.domain.filters.tree import And, Condition, Filter, Not, Op, Or

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
            read, test = filter_.field.reader(), value_test(filter_)
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
