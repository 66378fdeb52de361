"""A library's metadata schema: which fields its chunks' metadata has, and of which types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FieldType(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    STRING_LIST = "string_list"


@dataclass(frozen=True, slots=True)
class FieldRule:
    type: FieldType
    required: bool = False
    enum: tuple[str | int | float | bool, ...] | None = None


@dataclass(frozen=True, slots=True)
class MetadataSchema:
    """`additional`: whether fields that it does not name are allowed."""

    fields: Mapping[str, FieldRule] = field(default_factory=dict)
    additional: bool = True
