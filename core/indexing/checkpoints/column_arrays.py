"""Conversion between a column of an attribute index and named arrays."""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from core.indexing.attributes.bitmaps import from_rows, to_rows
from core.indexing.attributes.column import Column, Moments, Parts
from core.indexing.attributes.composites import ByForm, Composites, ValuesAt
from core.indexing.attributes.sorted_values import SortedValues
from core.indexing.columns.strings import StringColumn

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
_BITMAPS = ("present", "false", "true", "null")


def arrays_of(column: Column) -> dict[str, NDArray[Any]]:
    """Return the column's arrays, without the lists and objects, which the chunks have."""
    parts = column.parts
    composites, moments = parts.composites, parts.moments
    arrays: dict[str, NDArray[Any]] = {"lists": composites.lists, "objects": composites.objects}
    arrays |= {name: _of_bitmap(getattr(parts, name)) for name in _BITMAPS}
    arrays |= with_prefix("texts", _of_sorted(parts.texts))
    arrays |= with_prefix("numbers", _of_sorted(parts.numbers))
    if moments is not None:
        arrays |= with_prefix("moments", _of_sorted(moments.values))
        arrays["dated"] = _of_bitmap(moments.of_texts)
    # Lists with other members than strings are rare, and read again when a filter needs them.
    if composites.members is not None and all(isinstance(form, str) for form in composites.members):
        members = _concatenate_members(composites.members, parts.size)
        arrays |= with_prefix("members", _of_sorted(members))
    return arrays


def column_of(size: int, arrays: Arrays, values_at: ValuesAt) -> Column:
    """Restore a column; numbers are copied, strings and the rows of each value are not.

    Raises:
        KeyError, ValueError: the arrays are not a result of `arrays_of`.
    """
    moments, members = None, None
    if "dated" in arrays:
        moments = Moments(
            _sorted_values(without_prefix("moments", arrays), size), _bitmap(arrays["dated"])
        )
    if grouped := without_prefix("members", arrays):
        members = _split_members(_sorted_values(grouped, size))
    present, false, true, null = (_bitmap(arrays[name]) for name in _BITMAPS)
    parts = Parts(
        size=size,
        present=present,
        texts=_sorted_values(without_prefix("texts", arrays), size),
        numbers=_sorted_values(without_prefix("numbers", arrays), size),
        false=false,
        true=true,
        null=null,
        composites=Composites(arrays["lists"], arrays["objects"], size, values_at, members),
        moments=moments,
    )
    return Column(parts)


def with_prefix(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def without_prefix(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Return the arrays that `with_prefix` added with this prefix."""
    start = f"{prefix}."
    return {
        name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)
    }


def _of_sorted(column: SortedValues) -> dict[str, NDArray[Any]]:
    values = column.values
    of_values = _of_texts(values) if isinstance(values, StringColumn) else _of_numbers(values)
    return {"starts": column.starts, "rows": column.rows, **of_values}


def _sorted_values(arrays: Arrays, size: int) -> SortedValues:
    numbers = arrays.get("numbers")
    if numbers is not None:
        values = numbers.tolist()
    else:
        values = StringColumn(arrays["texts"], arrays["ends"])
        if "exact" in arrays:
            values = [_number(text) for text in values]
    return SortedValues(values, arrays["starts"], arrays["rows"], size)


def _of_texts(texts: StringColumn) -> dict[str, NDArray[Any]]:
    return {"texts": texts.content, "ends": texts.offsets}


def _of_numbers(numbers: Sequence[int | float]) -> dict[str, NDArray[Any]]:
    """Return the arrays of numbers; integers of any size stay exact."""
    kinds = {type(number) for number in numbers}
    if kinds == {float}:
        return {"numbers": np.array(numbers, np.float64)}
    try:
        if kinds <= {int}:
            return {"numbers": np.array(numbers, np.int64)}
    except OverflowError:
        pass
    texts = [number.hex() if isinstance(number, float) else hex(number) for number in numbers]
    return {**_of_texts(StringColumn.of(texts)), "exact": np.empty(0, np.uint8)}


def _number(text: str) -> int | float:
    # `float.hex` writes an exponent, `inf` or `nan`, so `p` or `n` marks a float.
    return float.fromhex(text) if "p" in text or "n" in text else int(text, 16)


def _of_bitmap(bitmap: BitMap) -> NDArray[np.uint8]:
    return np.frombuffer(bitmap.serialize(), np.uint8)


def _bitmap(serialised: NDArray[np.uint8]) -> BitMap:
    bitmap: BitMap = BitMap.deserialize(serialised.tobytes())
    return bitmap


def _concatenate_members(members: ByForm, size: int) -> SortedValues:
    """Concatenate the rows of each member; a row may occur under several members."""
    counts = [len(bitmap) for bitmap in members.values()]
    starts = np.array([*accumulate(counts, initial=0)], np.uint32)
    rows = np.concatenate([np.empty(0, np.uint32), *map(to_rows, members.values())])
    return SortedValues(StringColumn.of(map(str, members)), starts, rows, size)


def _split_members(members: SortedValues) -> ByForm:
    bounds = pairwise(members.starts.tolist())
    return {
        text: from_rows(members.rows[start:end], members.size, ascending=True)
        for text, (start, end) in zip(members.values, bounds, strict=True)
    }
