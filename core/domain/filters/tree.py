"""A filter as an immutable tree of conditions."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from core.domain.filters.fields import Field


class Op(StrEnum):
    EQ = "eq"
    NE = "ne"
    IN = "in"
    NIN = "nin"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    BETWEEN = "between"
    CONTAINS = "contains"
    ICONTAINS = "icontains"
    STARTS_WITH = "starts_with"
    EXISTS = "exists"


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of a field; `value` is the JSON value of the request, of `op`'s shape."""

    field: Field
    op: Op
    value: object


@dataclass(frozen=True, slots=True)
class And:
    filters: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Or:
    filters: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    filter: "Filter"


Filter: TypeAlias = And | Or | Not | Condition


def fields_of(filter_: Filter) -> Iterator[Field]:
    """Yield the field of each condition."""
    match filter_:
        case And(filters) | Or(filters):
            for inner in filters:
                yield from fields_of(inner)
        case Not(inner):
            yield from fields_of(inner)
        case Condition(field):
            yield field
