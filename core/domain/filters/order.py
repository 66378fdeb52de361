"""What a listing is ordered by: `field`, or `-field` for the other direction."""

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
"""A kind of value, and the value or what stands for it; keys compare with one another."""

KeyFunction: TypeAlias = Callable[[Chunk, Document], SortKey | None]
"""`None` if the field is missing, null, a list or an object."""

KEY_LENGTH = 256
"""Strings are ordered by so many of their first characters, and so by what fits a cursor."""


@dataclass(frozen=True, slots=True)
class Order:
    """Booleans before numbers, instants and strings; what has no order comes last, always."""

    field: Field
    descending: bool = False

    def keys(self) -> KeyFunction:
        """Says where a chunk belongs."""
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
    """Raises: Invalid: no such field, or one whose type has no order."""
    field = parse_field(raw.removeprefix("-"), schema, pointer)
    if field.type is FieldType.STRING_LIST:
        raise Invalid.at(pointer, "Lists have no order.")
    return Order(field, descending=raw.startswith("-"))
