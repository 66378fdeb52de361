"""Conversion of a file's values, of Python's types for JSON and Arrow, into the API's.

Every function raises `Invalid` with one fault, whose pointer leads into the value. A NaN in place
of a whole value means a missing one, as pandas writes it.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from api.wire.places import PlaceRequest
from core.domain import vectors
from core.domain.errors import Invalid
from core.domain.ids import check_id
from core.domain.place import MAX_TITLE_LENGTH
from core.domain.pointers import join
from nalanda import Place

MAX_LEVELS = 197
"""Levels of metadata: the server's parser takes 200, of which a chunk's request has three."""

_INTEGERS = range(-(2**63), 2**64)
_ORDINALS = range(-(2**63), 2**63 - 1)
_NOT_FINITE = "An embedding's numbers must be finite, and within the range of float32."
_OWN_ID = re.compile(rb"[A-Za-z0-9._~-]+")


def is_missing(value: object) -> bool:
    """Return whether a value is null, or NaN in its place."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def parse(text: str) -> object:
    """Parse a JSON text."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise Invalid.at("", _too_deep()) from None
    except ValueError as error:
        raise Invalid.at("", f"This must be JSON: {error}.") from None


def string(value: object) -> str | None:
    """Return a text; decode bytes as UTF-8."""
    match value:
        case str():
            return _encodable(value, "")
        case bytes():
            return _decode_text(value, "")
    if is_missing(value):
        return None
    raise Invalid.at("", f"This must be a string, not {_name_value(value)}.")


def title(value: object) -> str | None:
    """Return a title or a source."""
    text = string(value)
    if text is not None and len(text) > MAX_TITLE_LENGTH:
        raise Invalid.at(
            "", f"This must have at most {MAX_TITLE_LENGTH} characters, not {len(text)}."
        )
    return text


def id_(value: object) -> str | None:
    """Return an id as a string; integers and UUIDs, also of 16 bytes, are converted."""
    match value:
        case UUID():
            return str(value)
        case bytes() if len(value) == 16 and not _OWN_ID.fullmatch(value):
            return str(UUID(bytes=value))
        case float() | int() | Decimal() if _is_integer(value):
            return str(int(value))
    text = string(value)
    try:
        return None if text is None else check_id(text, "")
    except Invalid as invalid:
        detail = f"{invalid.faults[0].detail}, not {_name_value(text)}."
        raise Invalid.at("", detail) from None


def ordinal(value: object) -> int | None:
    """Return an integer; accept a float or a decimal with an integral value."""
    if is_missing(value):
        return None
    if not isinstance(value, int | float | Decimal) or not _is_integer(value):
        raise Invalid.at("", f"This must be an integer, not {_name_value(value)}.")
    if int(value) not in _ORDINALS:
        raise Invalid.at("", "An ordinal must be a signed 64-bit integer.")
    return int(value)


def metadata(value: object) -> dict[str, Any]:
    """Return an object; parse a JSON text."""
    if isinstance(value, bytes):
        value = _decode_text(value, "")
    if isinstance(value, str):
        value = parse(value) if value.strip() else None
    if is_missing(value):
        return {}
    if not isinstance(value, Mapping):
        raise Invalid.at("", f"This must be a JSON object, not {_name_value(value)}.")
    return {key: _plain(item, join("", key), 1) for key, item in _items(value, "")}


def place(value: object) -> Place | None:
    """Return a place from an object, or from its JSON text."""
    fields = metadata(value)
    if not fields:
        return None
    try:
        PlaceRequest.model_validate(fields)
    except ValidationError as error:
        fault = error.errors()[0]
        raise Invalid.at(join("", *fault["loc"]), f"{fault['msg']}.") from None
    return Place.model_validate(fields)


def embedding(value: object) -> NDArray[np.float32] | None:
    """Return `(d,) float32` from numbers, from little-endian float32 as bytes or base64, or from
    JSON.
    """
    match value:
        case np.ndarray():
            return _round_to_float32(value)
        case bytes():
            return _from_bytes(value)
        case str() if value.lstrip().startswith("["):
            return embedding(parse(value))
        case str():
            return vectors.decode_base64(value, "")
        case list():
            return vectors.from_numbers(value, "")
        case {"type": 1, "values": [*numbers]}:  # a dense vector of Spark MLlib
            return vectors.from_numbers(numbers, "/values")
    if is_missing(value):
        return None
    raise Invalid.at("", f"This must be a list of numbers, not {_name_value(value)}.")


def without_nulls(value: object) -> object:
    """Return an Arrow value whose structs omit their null members.

    A struct has each member in each row, so a null stands for an absent member.
    """
    match value:
        case dict():
            return {
                key: without_nulls(member) for key, member in value.items() if member is not None
            }
        case list():
            return [without_nulls(member) for member in value]
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} occurs twice in an object")
    return members


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def _round_to_float32(numbers: NDArray[Any]) -> NDArray[np.float32]:
    if numbers.ndim != 1 or numbers.dtype.kind not in "iuf":
        raise Invalid.at("", "An embedding's elements must be numbers.")
    with np.errstate(over="ignore"):
        rounded = numbers.astype(np.float32)
    finite = np.isfinite(rounded)
    if not finite.all():
        raise Invalid.at(join("", int(np.argmin(finite))), _NOT_FINITE)
    return rounded


def _from_bytes(packed: bytes) -> NDArray[np.float32]:
    if len(packed) % 4:
        raise Invalid.at("", f"{len(packed)} bytes are not little-endian float32 numbers.")
    return _round_to_float32(np.frombuffer(packed, "<f4"))


def _plain(value: object, pointer: str, level: int) -> object:
    """Return a metadata value as JSON represents it."""
    match value:
        case None | bool():
            return value
        case str():
            return _encodable(value, pointer)
        case int():
            return _check_range(value, pointer)
        case float():
            return _finite(value, pointer)
        case list() | tuple():
            below = _next_level(level, pointer)
            return [_plain(item, join(pointer, i), below) for i, item in enumerate(value)]
        case Mapping():
            below = _next_level(level, pointer)
            return {
                key: _plain(item, join(pointer, key), below) for key, item in _items(value, pointer)
            }
    return _scalar(value, pointer)


def _scalar(value: object, pointer: str) -> object:
    match value:
        case np.generic():
            return _plain(value.item(), pointer, 0)
        case datetime():
            return _instant(value, pointer)
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return _number(value, pointer)
        case UUID():
            return str(value)
        case bytes():
            return _decode_text(value, pointer)
    raise Invalid.at(pointer, f"JSON has no {type(value).__name__}: leave it out.")


def _items(value: Mapping[Any, object], pointer: str) -> Iterable[tuple[str, object]]:
    for key, item in value.items():
        if not isinstance(key, str):
            raise Invalid.at(pointer, f"A key must be a string, not {_name_value(key)}.")
        yield _encodable(key, pointer), item


def _next_level(level: int, pointer: str) -> int:
    if level >= MAX_LEVELS:
        raise Invalid.at(pointer[:40], _too_deep())
    return level + 1


def _too_deep() -> str:
    return f"Metadata must have at most {MAX_LEVELS} levels of objects and lists."


def _encodable(text: str, pointer: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        surrogate = f"\\u{ord(text[error.start]):04x} at character {error.start + 1}"
        detail = f"Half of a surrogate pair is not a character: remove {surrogate}."
        raise Invalid.at(pointer, detail) from None
    return text


def _decode_text(packed: bytes, pointer: str) -> str:
    with suppress(UnicodeDecodeError):
        if b"\0" not in packed:
            return packed.decode()
    raise Invalid.at(pointer, f"These {len(packed)} bytes are not UTF-8 text.")


def _check_range(number: int, pointer: str) -> int:
    if number not in _INTEGERS:
        raise Invalid.at(pointer, "An integer must have at most 64 bits.")
    return number


def _finite(number: float, pointer: str) -> float:
    if not math.isfinite(number):
        raise Invalid.at(
            pointer, f"A number must be finite, not {number}: use null, or leave it out."
        )
    return number


def _number(number: Decimal, pointer: str) -> int | float:
    if not number.is_finite():
        return _finite(float(number), pointer)
    if number == number.to_integral_value():
        return _check_range(int(number), pointer)
    rounded = float(number)
    if Decimal(repr(rounded)) != number:
        detail = f"{number} has more digits than a float64: make it a float or a string."
        raise Invalid.at(pointer, detail)
    return rounded


def _instant(moment: datetime, pointer: str) -> str:
    """Return the time in UTC; one without an offset is in UTC."""
    try:
        in_utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise Invalid.at(pointer, "This time must be in the years 1 to 9999.") from None
    return in_utc.isoformat().replace("+00:00", "Z")


def _is_integer(value: float | Decimal) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool)
    return math.isfinite(value) and value == int(value)


def _name_value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"the string {value[:40]!r}" + ("…" if len(value) > 40 else "")
        case int() | float() | Decimal():
            return f"the number {value}"[:60]
        case list() | tuple() | np.ndarray():
            return "a list"
        case Mapping():
            return "an object"
        case bytes():
            return f"{len(value)} bytes"
        case None:
            return "null"
    return f"a {type(value).__name__}"
