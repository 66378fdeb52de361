"""The order of a listing: `field`, or `-field` for descending."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from core.domain.document import Chunk, Document
from core.domain.errors import Invalid
from core.domain.filters.comparing import comparable
from core.domain.filters.fields import Field, parse_field
from core.domain.schema import FieldType, MetadataSchema
from core.domain.values import microseconds

SortKey: TypeAlias = tuple[int, int | float | str]
"""The rank of a value's kind, and the value or its prefix; all keys are comparable."""

KeyFunction: TypeAlias = Callable[[Chunk, Document], SortKey | None]
"""Returns a chunk's sort key; `None` if the field is missing, null, a list or an object."""

KEY_LENGTH = 256
"""The length of the prefix that orders strings, so that a cursor can hold it."""


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a listing: booleans, numbers, instants, strings, then all without an order.

    Chunks without an order come last in both directions.
    """

    field: Field
    descending: bool = False

    def keys(self) -> KeyFunction:
        """Return the function that computes a chunk's sort key."""
        read = self.field.reader()
        instants = self.field.type is not FieldType.STRING
        return lambda chunk, document: _key(read(chunk, document), instants)


def _key(value: object, instants: bool) -> SortKey | None:
    if isinstance(value, bool):
        return 0, int(value)
    if isinstance(value, int | float):
        return 1, value
    if not isinstance(value, str | datetime):
        return None
    form = comparable(value, instants=instants)
    if isinstance(form, datetime):
        return 2, microseconds(form)
    return 3, str(form)[:KEY_LENGTH]


def parse_order(
    raw: str, schema: MetadataSchema | None = None, pointer: str = "/order_by"
) -> Order:
    """Parse `field` or `-field`.

    Raises:
        Invalid: there is no such field, or its type has no order.
    """
    field = parse_field(raw.removeprefix("-"), schema, pointer)
    if field.type is FieldType.STRING_LIST:
        raise Invalid.at(pointer, "Lists have no order.")
    return Order(field, descending=raw.startswith("-"))
