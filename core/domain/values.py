"""Values inside metadata: lookup by a field's name, date-times as instants, forms of strings."""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final, TypeAlias


class Missing(Enum):
    """The type of `MISSING`: no value, as opposed to a null, which is a value."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING

FieldPath: TypeAlias = tuple[str, ...]
"""The keys that lead from the outermost object to a value."""

# The seconds and the offset are not optional; the range of each number is checked after.
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:[0-5]\d)", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_SHORTEST = len("2026-01-01T00:00:00Z")


def to_json(value: Mapping[str, object]) -> str:
    """Return compact JSON that round-trips exactly: lone surrogates and big integers as well."""
    # Not orjson, which turns integers of more than 64 bits into floats.
    return json.dumps(dict(value), ensure_ascii=False, separators=(",", ":"))


def compose(text: str) -> str:
    """Return Unicode's composed form, NFC: equal for strings that look the same."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def caseless(text: str) -> str:
    """Return the composed form of Unicode's full case folding."""
    return compose(compose(text).casefold())


def microseconds(time: datetime) -> int:
    """Return the microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND


def from_microseconds(us: int) -> datetime:
    """Return the time in UTC, `us` microseconds after 1970."""
    return _EPOCH + us * _MICROSECOND


def locate(metadata: Mapping[str, object], name: str) -> tuple[FieldPath, object]:
    """Return the path of a field, and its value.

    A name is first a key of the object. If the object lacks the key, the part before the first
    dot is the key of a nested object. The rest is a name in that object. So `author.name` is the
    key `author.name` where there is one, else `name` in the object `author`. A missing value is
    `MISSING`, at the path of the nested one.
    """
    inside: Mapping[str, object] = metadata
    rest = name
    path: FieldPath = ()
    while rest not in inside:
        head, dot, rest = rest.partition(".")
        child = inside.get(head)
        if not dot or not isinstance(child, Mapping):
            return tuple(name.split(".")), MISSING
        inside = child
        path = (*path, head)
    return (*path, rest), inside[rest]


def value_of(metadata: Mapping[str, object], name: str) -> object:
    """Return the value that `locate` finds, without its path; faster, for a call per row."""
    inside: Mapping[str, object] = metadata
    rest = name
    while rest not in inside:
        head, dot, rest = rest.partition(".")
        child = inside.get(head)
        if not dot or not isinstance(child, Mapping):
            return MISSING
        inside = child
    return inside[rest]


def instant(text: str) -> datetime | None:
    """Parse an RFC 3339 date-time with an offset; `None` if the text is none.

    Digits beyond the microsecond are dropped, and a leap second is not a date-time here.
    """
    # Most strings are no date-times; these checks reject them without the pattern.
    if len(text) < _SHORTEST or text[10] not in "Tt" or not _RFC_3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None
