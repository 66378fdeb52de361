"""Distinct values in order, each with its rows: equality by binary search, ranges as slices."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from core.indexing.attributes.bitmaps import Rows, from_rows
from core.indexing.columns.strings import StringColumn

_FREQUENT = 2**12
_SCAN_FROM = 1 / 16
_BYTES_PER_NUMBER = 40
"""The bytes of a number as an object and of its reference in a list."""


class Bound(NamedTuple):
    """An end of a range."""

    value: Any
    inclusive: bool


@dataclass(frozen=True, slots=True, eq=False)
class SortedValues:
    """`d` distinct `values` of one type, ascending; `values[i]` has `rows[starts[i]:starts[i +
    1]]`.

    `starts`: `(d + 1,) uint32`. `rows`: `(m,) uint32`, ascending for each value. `size`: the number
    of the segment's rows, including rows without such a value. `frequent`: a cache of the bitmaps
    of values with more than `_FREQUENT` rows, at most `m / _FREQUENT` of them.
    """

    values: Sequence[Any] | StringColumn
    starts: NDArray[np.uint32]
    rows: Rows
    size: int
    frequent: dict[int, BitMap] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Rows, values: Sequence[Any], size: int) -> "SortedValues":
        """Sort hashable `values`, one for each of the ascending `rows`."""
        distinct = sorted(set(values))
        places = {value: place for place, value in enumerate(distinct)}
        codes = np.fromiter(map(places.__getitem__, values), np.uint32, len(values))
        starts = np.zeros(len(distinct) + 1, np.uint32)
        np.cumsum(np.bincount(codes, minlength=len(distinct)), out=starts[1:])
        return cls(distinct, starts, rows[np.argsort(codes, kind="stable")], size)

    @property
    def memory_bytes(self) -> int:
        bitmaps = sum(len(bitmap.serialize()) for bitmap in list(self.frequent.values()))
        values = self.values
        of_values = (
            values.memory_bytes
            if isinstance(values, StringColumn)
            else _BYTES_PER_NUMBER * len(values)
        )
        return of_values + self.starts.nbytes + self.rows.nbytes + bitmaps

    def equal_to(self, value: Any) -> BitMap:
        place = bisect_left(self.values, value)
        if place < len(self.values) and self.values[place] == value:
            return self._at(place)
        return BitMap()

    def any_of(self, wanted: Collection[Any]) -> BitMap:
        if len(wanted) > _SCAN_FROM * len(self.values):
            places = [place for place, value in enumerate(self.values) if value in wanted]
            return self.at(places)
        places = []
        for value in wanted:
            place = bisect_left(self.values, value)
            if place < len(self.values) and self.values[place] == value:
                places.append(place)
        return self.at(places)

    def between(self, low: Bound | None, high: Bound | None) -> BitMap:
        start, end = 0, len(self.values)
        if low is not None:
            start = (bisect_left if low.inclusive else bisect_right)(self.values, low.value)
        if high is not None:
            end = (bisect_right if high.inclusive else bisect_left)(self.values, high.value)
        return self._slice(start, end)

    def rows_starting_with(self, prefix: str) -> BitMap:
        """Return the rows whose string starts with `prefix`."""
        length = len(prefix)
        start = bisect_left(self.values, prefix)
        end = bisect_right(self.values, prefix, lo=start, key=lambda value: value[:length])
        return self._slice(start, end)

    def at(self, places: Sequence[int]) -> BitMap:
        """Return the rows of the values at these distinct places."""
        if len(places) == 1:
            return self._at(places[0])
        if not places:
            return BitMap()
        chosen = np.asarray(places, np.int64)
        starts = self.starts[chosen].astype(np.int64)
        counts = self.starts[chosen + 1].astype(np.int64) - starts
        ends = np.cumsum(counts)
        rows = self.rows[np.arange(ends[-1]) + np.repeat(starts - ends + counts, counts)]
        return from_rows(rows, self.size)

    def places_of_rows(self) -> NDArray[np.int64]:
        """Return for each of `rows` the place of its value, `(m,) int64`."""
        starts = self.starts.astype(np.int64)
        return np.repeat(np.arange(len(self.values)), starts[1:] - starts[:-1])

    def _at(self, place: int) -> BitMap:
        start, end = self.starts[place : place + 2].tolist()
        if end - start <= _FREQUENT:
            return from_rows(self.rows[start:end], self.size, ascending=True)
        rows = self.frequent.get(place)
        if rows is None:
            rows = from_rows(self.rows[start:end], self.size, ascending=True)
            self.frequent[place] = rows
        return rows

    def _slice(self, start: int, end: int) -> BitMap:
        if end - start == 1:
            return self._at(start)
        if end <= start:
            return BitMap()
        low, high = int(self.starts[start]), int(self.starts[end])
        return from_rows(self.rows[low:high], self.size)
