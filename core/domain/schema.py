"""Metadata schemas: the fields of the metadata of a library's chunks, and their types."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from core.domain.errors import Fault, Invalid
from core.domain.pointers import join
from core.domain.values import MISSING, FieldPath, instant, locate

MAX_NAME_LENGTH = 256
MAX_DOTS = 16
_MAX_SHOWN = 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class FieldType(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    STRING_LIST = "string_list"


EXPECTED = {
    FieldType.STRING: "a string",
    FieldType.INTEGER: "an integer",
    FieldType.NUMBER: "a number",
    FieldType.BOOLEAN: "true or false",
    FieldType.DATETIME: "an RFC 3339 date-time with an offset, such as 2026-01-31T12:00:00Z",
    FieldType.STRING_LIST: "a list of strings",
}


def conforms(value: object, type_: FieldType) -> bool:
    """Return whether a JSON value is of the type: `true` is no number, and 3.0 is no integer."""
    match type_:
        case FieldType.STRING:
            return isinstance(value, str)
        case FieldType.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case FieldType.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case FieldType.BOOLEAN:
            return isinstance(value, bool)
        case FieldType.DATETIME:
            return isinstance(value, str) and instant(value) is not None
        case FieldType.STRING_LIST:
            return isinstance(value, list) and all(isinstance(item, str) for item in value)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """The rule for one field; `enum` is for each member of a list, and date-times are instants."""

    type: FieldType
    required: bool = False
    enum: tuple[str | int | float | bool, ...] | None = None

    def faults(self, value: object, pointer: str) -> Iterator[Fault]:
        """Yield the faults of a value that is not missing."""
        if not conforms(value, self.type):
            yield Fault(pointer, f"This field is {EXPECTED[self.type]}.")
        elif self.enum is not None:
            yield from self._enum_faults(value, self.enum, pointer)

    def _enum_faults(self, value: object, enum: Sequence[object], pointer: str) -> Iterator[Fault]:
        members = {pointer: value}
        if isinstance(value, list):
            members = {join(pointer, i): item for i, item in enumerate(value)}
        allowed = {self._comparable(item) for item in enum}
        for where, member in members.items():
            if self._comparable(member) not in allowed:
                yield Fault(where, f"This is none of {_enum_text(enum)}.")

    def _comparable(self, value: object) -> object:
        if self.type is FieldType.DATETIME and isinstance(value, str):
            return instant(value)
        return value

    def own_faults(self, pointer: str) -> Iterator[Fault]:
        """Yield the faults of the rule itself."""
        if self.enum is None:
            return
        if not self.enum:
            yield Fault(join(pointer, "enum"), "An enum has at least one value.")
        member = FieldType.STRING if self.type is FieldType.STRING_LIST else self.type
        for i, value in enumerate(self.enum):
            if not conforms(value, member):
                yield Fault(
                    join(pointer, "enum", i), f"A value of this enum is {EXPECTED[member]}."
                )


@dataclass(frozen=True, slots=True)
class MetadataSchema:
    """The rules for metadata; `additional` allows fields that the schema does not name.

    `core.domain.values.locate` finds a field's value, as in filters: `author.name` is the key of
    that name where there is one, else `name` in `author`.
    """

    fields: Mapping[str, FieldRule] = field(default_factory=dict)
    additional: bool = True

    def check(self, metadata: Mapping[str, object], pointer: str) -> None:
        """Check metadata against the schema; `pointer` is the metadata's place in the input.

        Raises:
            Invalid: the metadata breaks rules; one fault for each.
        """
        faults: list[Fault] = []
        known: set[FieldPath] = set()
        for name, rule in self.fields.items():
            path, value = locate(metadata, name)
            if value is not MISSING:
                known.add(path)
                faults.extend(rule.faults(value, join(pointer, *path)))
            elif rule.required:
                faults.append(Fault(join(pointer, *path), "This field is required."))
        if not self.additional:
            faults.extend(self._unknown(metadata, known, (), pointer))
        if faults:
            raise Invalid(faults)

    def _unknown(
        self, inside: Mapping[str, object], known: set[FieldPath], above: FieldPath, pointer: str
    ) -> Iterator[Fault]:
        for key, value in inside.items():
            path = (*above, key)
            if path in known:
                continue
            if isinstance(value, dict) and self._has_fields_below(path):
                yield from self._unknown(value, known, path, pointer)
            else:
                yield Fault(join(pointer, *path), "The schema has no such field.")

    def _has_fields_below(self, path: FieldPath) -> bool:
        prefix = ".".join(path) + "."
        return any(name.startswith(prefix) for name in self.fields)

    def check_itself(self, pointer: str) -> None:
        """Check the schema against the rules for schemas; `pointer` is its place in the input.

        Raises:
            Invalid: a field's name is empty, too long, has too many dots, a control
                character or an empty part between dots; an enum is empty or has a value of
                another type.
        """
        faults: list[Fault] = []
        for name, rule in self.fields.items():
            where = join(pointer, "fields", name)
            if not _is_name(name):
                faults.append(
                    Fault(
                        where,
                        f"A field's name is 1 to {MAX_NAME_LENGTH} characters, none of them a "
                        f"control character, with at most {MAX_DOTS} dots and something before and "
                        "after each.",
                    )
                )
            faults.extend(rule.own_faults(where))
        if faults:
            raise Invalid(faults)


def _is_name(name: str) -> bool:
    return (
        len(name) <= MAX_NAME_LENGTH
        and name.count(".") <= MAX_DOTS
        and all(name.split("."))
        and not _CONTROL.search(name)
    )


def _enum_text(enum: Sequence[object]) -> str:
    """Return an enum's first values as text, and the number of the others."""
    shown = ", ".join(map(repr, enum[:_MAX_SHOWN]))
    return f"{shown} and {len(enum) - _MAX_SHOWN} more" if len(enum) > _MAX_SHOWN else shown
