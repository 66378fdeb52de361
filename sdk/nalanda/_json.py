"""Lossless conversion of Python values to JSON: arrays, times, decimals, enums, UUIDs, sets, paths.

A value without a JSON form is refused before anything is sent; the error names its place in the
call.
"""

import json
from collections.abc import Collection, Mapping, Sequence, Set
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from math import isfinite
from pathlib import PurePath
from typing import Any
from uuid import UUID

from nalanda._arrays import is_array, items_of, kind_of
from nalanda._errors import InvalidType, InvalidValue, KeyPath, type_name

MAX_LEVELS = 200
"""Maximum nesting, the server's limit."""
INTEGERS = range(-(2**63), 2**64)


def dump(value: object, place: KeyPath = ()) -> str:
    """Serialise a value as JSON.

    Raises:
        InvalidValue, InvalidType: part of it has no JSON form.
    """
    return json.dumps(plain(value, place), ensure_ascii=False, separators=(",", ":"))


def plain(value: object, place: KeyPath = ()) -> Any:
    """Convert a value to what `json` serialises: dicts, lists, strings, numbers.

    Raises:
        InvalidValue, InvalidType: part of the value has no JSON form.
    """
    try:
        return _Conversion(place).of(value)
    except RecursionError:
        raise InvalidValue(place, "is nested too deeply.") from None


def _all_finite_floats(items: Collection[Any]) -> bool:
    """Return whether all items are finite floats, as in an embedding, without a Python loop."""
    return set(map(type, items)) == {float} and isfinite(sum(items))


class _Conversion:
    """A walk through a value that tracks its place and its containers."""

    def __init__(self, place: KeyPath) -> None:
        self._place: list[str | int] = list(place)
        self._containers: list[int] = []

    def of(self, value: object) -> Any:
        match value:
            case None | bool():
                return value
            case Enum():
                return self.of(value.value)
            case str():
                return self._text(value)
            case int():
                return self._integer(int(value))
            case float():
                return self._float(float(value))
            case dict() | Mapping():
                return self._object(value)
            case datetime():
                return self._instant(value)
            case date():
                return value.isoformat()
            case Decimal():
                return self._decimal(value)
            case UUID() | PurePath():
                return self._text(str(value))
            case Set():
                return self._set(value)
            case bytes() | bytearray():
                raise self._unknown(value)
            case Sequence():
                return self._list(value)
        return self._array(value)

    def _text(self, value: str) -> str:
        text = str.__str__(value)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as error:
                detail = f"has a lone surrogate at character {error.start}, which no UTF-8 carries."
                raise self._invalid(detail) from None
        return text

    def _integer(self, value: int) -> int:
        if value not in INTEGERS:
            raise self._invalid("is an integer of more than 64 bits; send it as a string.")
        return value

    def _float(self, value: float) -> float:
        if not isfinite(value):
            raise self._invalid(f"is {value}, which is no JSON number; leave it out, or send None.")
        return value

    def _decimal(self, value: Decimal) -> float | int:
        if not value.is_finite():
            raise self._invalid(f"is {value}, which is no JSON number; leave it out, or send None.")
        if INTEGERS.start <= value < INTEGERS.stop and value == int(value):
            return int(value)
        number = float(value)
        if not isfinite(number) or Decimal(repr(number)) != value:
            raise self._invalid(f"is {value}, which is no float64; send it as a float or a string.")
        return number

    def _instant(self, value: datetime) -> str:
        """Return the time in RFC 3339 and UTC; a time without a zone is in UTC."""
        if value != value:
            raise self._invalid("is NaT, which is no time; leave it out, or send None.")
        aware = value if value.utcoffset() is not None else value.replace(tzinfo=UTC)
        try:
            utc = aware.astimezone(UTC)
        except OverflowError:
            raise self._invalid("is a time that has no year in UTC.") from None
        return datetime.isoformat(utc).replace("+00:00", "Z")

    def _object(self, value: Mapping[object, object]) -> dict[str, Any]:
        self._enter(value)
        members = {}
        for key, inner in value.items():
            if not isinstance(key, str):
                detail = f"has a key of the type {type_name(key)}; keys are strings."
                raise self._invalid(detail, InvalidType)
            self._place.append(key)
            members[self._text(key)] = self.of(inner)
            self._place.pop()
        self._containers.pop()
        return members

    def _list(self, value: Collection[object]) -> list[Any]:
        self._enter(value)
        if _all_finite_floats(value):
            self._containers.pop()
            return list(value)
        converted = []
        for index, item in enumerate(value):
            self._place.append(index)
            converted.append(self.of(item))
            self._place.pop()
        self._containers.pop()
        return converted

    def _set(self, value: Set[object]) -> list[Any]:
        """Return a list whose order is the same in each process."""
        converted = self._list(value)
        try:
            return sorted(converted)
        except TypeError:
            return sorted(converted, key=json.dumps)

    def _array(self, value: Any) -> Any:
        """Convert an array or scalar of numpy, PyTorch, pandas or a compatible library."""
        if isinstance(value, type) or not is_array(value):
            raise self._unknown(value)
        try:
            items = items_of(value)
        except Exception as error:  # foreign code may raise any error
            raise self._invalid(f"is a {type_name(value)} that can't be read: {error}") from error
        if type(items) is not type(value):
            return self.of(items)
        if kind_of(items) != "f":
            raise self._unknown(value)
        return self._float(float(items))  # numpy's longdouble, whose item is itself

    def _enter(self, container: object) -> None:
        if id(container) in self._containers:
            raise self._invalid("contains itself.")
        self._containers.append(id(container))
        if len(self._containers) > MAX_LEVELS:
            raise self._invalid(f"is nested too deeply: JSON has at most {MAX_LEVELS} levels here.")

    def _unknown(self, value: object) -> InvalidType:
        kind = type_name(value)
        return InvalidType(tuple(self._place), f"is of the type {kind}, which has no JSON form.")

    def _invalid(self, detail: str, kind: type[InvalidValue] = InvalidValue) -> InvalidValue:
        return kind(tuple(self._place), detail)
