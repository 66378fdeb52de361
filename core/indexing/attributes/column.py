"""One field of a segment's rows: the rows of each value, by the type of the value.

Equality and order are those of `core.domain.filters.comparing`. There and here, `instants` says
whether strings that are date-times compare as date-times.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from core.domain.filters.comparing import comparable
from core.domain.filters.order import KEY_LENGTH
from core.domain.values import Missing, caseless, compose, instant, microseconds
from core.indexing.attributes.bitmaps import full, to_mask
from core.indexing.attributes.composites import Composites, ValuesAt, members_of
from core.indexing.attributes.sorted_values import Bound, SortedValues
from core.indexing.columns.strings import StringColumn

_NONE = np.iinfo(np.int64).min
"""A placeholder that no instant, in microseconds, can equal."""


class Moments(NamedTuple):
    """Instants in µs since 1970, and the rows whose instant was parsed from a string."""

    values: SortedValues
    of_texts: BitMap


class Parts(NamedTuple):
    """The parts of a column of `size` rows.

    `present`: the rows that have a value. `moments`: `None` until a filter needs them.
    """

    size: int
    present: BitMap
    texts: SortedValues
    numbers: SortedValues
    false: BitMap
    true: BitMap
    null: BitMap
    composites: Composites
    moments: Moments | None


class Column:
    """A field's values; `present`: the rows that have one. Rarely used parts are built on demand.

    Two threads that need such a part at once both build it, and one of the two is kept.
    """

    __slots__ = (
        "_composed_texts",
        "_composites",
        "_constants",
        "_made_moments",
        "_numbers",
        "_size",
        "_texts",
        "present",
    )

    def __init__(self, parts: Parts) -> None:
        self._size = parts.size
        self.present = parts.present
        self._texts, self._numbers = parts.texts, parts.numbers
        self._constants: dict[Hashable, BitMap] = {
            (bool, False): parts.false,
            (bool, True): parts.true,
            None: parts.null,
        }
        self._composites = parts.composites
        self._composed_texts: StringColumn | None = None
        self._made_moments = parts.moments

    @classmethod
    def of(cls, values: Sequence[object], values_at: ValuesAt) -> "Column":
        """Build a column from the value of each row: JSON, `MISSING`, or datetimes of built-in
        fields.

        `values_at`: reads the lists and objects again, which the column does not store.
        """
        size, rows = len(values), _rows_by_kind(values)
        texts = _sort_values(rows.get(str, []), values)
        texts = replace(texts, values=StringColumn.of(texts.values))
        lists = rows.get(list, [])
        numbers = sorted([*rows.get(int, []), *rows.get(float, [])])
        moments = None
        if datetime in rows:
            times = [value for value in values if isinstance(value, datetime)]
            moments = _moments_of(texts, rows[datetime], times)
        parts = Parts(
            size=size,
            present=full(size) - BitMap(rows.get(Missing, [])),
            texts=texts,
            # NaN has no place in an order.
            numbers=_sort_values([row for row in numbers if values[row] == values[row]], values),
            false=BitMap([row for row in rows.get(bool, []) if values[row] is False]),
            true=BitMap([row for row in rows.get(bool, []) if values[row] is True]),
            null=BitMap(rows.get(type(None), [])),
            composites=Composites(
                np.array(lists, np.uint32),
                np.array(rows.get(dict, []), np.uint32),
                size,
                values_at,
                members_of([(row, values[row]) for row in lists], size) if lists else None,
            ),
            moments=moments,
        )
        return cls(parts)

    @property
    def parts(self) -> Parts:
        """The parts built so far, for another column of the same values."""
        return Parts(
            size=self._size,
            present=self.present,
            texts=self._texts,
            numbers=self._numbers,
            false=self._constants[bool, False],
            true=self._constants[bool, True],
            null=self._constants[None],
            composites=self._composites,
            moments=self._made_moments,
        )

    @property
    def memory_bytes(self) -> int:
        total = self._texts.memory_bytes + self._numbers.memory_bytes
        total += self._composites.memory_bytes
        composed_texts = self._composed_texts
        if composed_texts is not None and composed_texts is not self.texts:
            total += composed_texts.memory_bytes
        if self._made_moments is not None:
            moments, of_texts = self._made_moments
            total += moments.memory_bytes + len(of_texts.serialize())
        return total + sum(
            len(rows.serialize()) for rows in (self.present, *self._constants.values())
        )

    @property
    def texts(self) -> StringColumn:
        """The distinct strings, ascending."""
        texts = self._texts.values
        assert isinstance(texts, StringColumn)
        return texts

    def equal_to(self, wanted: object, *, instants: bool) -> BitMap:
        return self._of_form(comparable(wanted, instants=instants), instants)

    def any_of(self, wanted: Iterable[object], *, instants: bool) -> BitMap:
        forms = {comparable(item, instants=instants) for item in wanted}
        texts = {form for form in forms if isinstance(form, str)}
        numbers = {form for form in forms if isinstance(form, int | float)}
        rows = self._texts.any_of(texts) | self._numbers.any_of(numbers)
        for form in forms - texts - numbers:
            rows |= self._of_form(form, instants)
        return rows

    def between(self, low: Bound | None, high: Bound | None, *, instants: bool) -> BitMap:
        """Return the rows in a range whose ends are both numbers or both strings."""
        ends = [end.value for end in (low, high) if end is not None]
        if not all(isinstance(end, str) for end in ends):
            return self._numbers.between(low, high)
        dated = [instants and instant(end) is not None for end in ends]
        if not any(dated):
            return self._texts.between(low, high)
        if not all(dated):
            from_low = self.between(low, None, instants=True)
            return from_low & self.between(None, high, instants=True)
        moments, of_texts = self._moments()
        rows = BitMap()
        if len(of_texts) < len(self._texts.rows):
            rows = self._texts.between(low, high) - of_texts
        return rows | moments.between(_as_moment(low), _as_moment(high))

    def rows_containing(self, wanted: object, *, instants: bool) -> BitMap:
        """Return the rows whose string contains `wanted`, or whose list has it as a member.

        Strings compare in NFC. Each distinct string is searched once.
        """
        if not isinstance(wanted, str):
            return self._composites.with_member(wanted, instants=instants)
        rows = self._composites.with_composed_member(compose(wanted), instants=instants)
        places = self._compose_texts().places_containing(compose(wanted))
        return rows | self._texts.at(places.tolist())

    def rows_icontaining(self, wanted: str) -> BitMap:
        folded = caseless(wanted)
        places = self.texts.caseless().places_containing(folded).tolist()
        return self._texts.at(places) | self._composites.with_folded_member(folded)

    def rows_starting_with(self, prefix: str) -> BitMap:
        texts, begin = self._compose_texts(), compose(prefix)
        if texts is self.texts:
            return self._texts.rows_starting_with(begin)
        # The order of the strings is not that of their composed forms.
        return self._texts.at([i for i, text in enumerate(texts) if text.startswith(begin)])

    def warm(self) -> None:
        """Build what filters on such values will need: instants and the members of lists."""
        texts = self.texts
        if any(instant(texts[i]) for i in range(0, len(texts), len(texts) // 8 + 1)):
            self._moments()
        self._composites.warm()

    def ranks(self, *, instants: bool) -> NDArray[np.int64]:
        """Return each row's rank among the keys of `core.domain.filters.order`, `(size,) int64`.

        Equal keys have equal ranks; rows without a key have -1.
        """
        ranks = np.full(self._size, -1, np.int64)
        for flag in (False, True):
            ranks[to_mask(self._constants[bool, flag], self._size)] = int(flag)
        first = 2
        ranks[self._numbers.rows] = first + self._numbers.places_of_rows()
        first += len(self._numbers.values)
        # Date-time strings are ranked by their instants below, which overwrites these ranks.
        texts_first = first + (len(self._moments().values.values) if instants else 0)
        ranks[self._texts.rows] = texts_first + _places_of_keys(self._texts)
        if instants:
            moments = self._moments().values
            ranks[moments.rows] = first + moments.places_of_rows()
        return ranks

    def _compose_texts(self) -> StringColumn:
        if self._composed_texts is None:
            self._composed_texts = self.texts.compose()
        return self._composed_texts

    def _of_form(self, form: Hashable, instants: bool) -> BitMap:
        if isinstance(form, str):
            return self._texts.equal_to(form)
        if isinstance(form, int | float):
            return self._numbers.equal_to(form)
        if isinstance(form, datetime):
            return self._moments().values.equal_to(microseconds(form))
        if form in self._constants:
            return self._constants[form]
        return self._composites.equal_to(form, instants=instants)

    def _moments(self) -> Moments:
        if self._made_moments is None:
            self._made_moments = _moments_of(self._texts, [], [])
        return self._made_moments


def _sort_values(rows: Sequence[int], values: Sequence[object]) -> SortedValues:
    """Return the sorted values of the given ascending rows; `values` has those of all rows."""
    return SortedValues.of(np.array(rows, np.uint32), [values[row] for row in rows], len(values))


def _moments_of(texts: SortedValues, rows: Sequence[int], times: Sequence[datetime]) -> Moments:
    """Return the instants of these rows, and those of the rows whose string is a date-time."""
    read = [instant(text) for text in texts.values]
    us = np.array([_NONE if time is None else microseconds(time) for time in read], np.int64)
    of_texts = us[texts.places_of_rows()]
    dated = of_texts != _NONE
    all_rows = np.append(texts.rows[dated], np.array(rows, np.uint32))
    all_us = np.append(of_texts[dated], np.array([*map(microseconds, times)], np.int64))
    ascending = np.argsort(all_rows)
    values = SortedValues.of(all_rows[ascending], all_us[ascending].tolist(), texts.size)
    return Moments(values, texts.at(np.flatnonzero(us != _NONE).tolist()))


def _rows_by_kind(values: Sequence[object]) -> dict[type, list[int]]:
    kinds = list(map(type, values))
    rows: dict[type, list[int]] = {kind: [] for kind in set(kinds)}
    for row, kind in enumerate(kinds):
        rows[kind].append(row)
    return rows


def _as_moment(bound: Bound | None) -> Bound | None:
    moment = instant(bound.value) if bound else None
    if bound is None or moment is None:
        return None
    return Bound(microseconds(moment), bound.inclusive)


def _places_of_keys(texts: SortedValues) -> NDArray[np.int64]:
    """Return `places_of_rows`, where strings with equal first `KEY_LENGTH` characters are equal."""
    places = texts.places_of_rows()
    if max(map(len, texts.values), default=0) <= KEY_LENGTH:
        return places
    keys = [text[:KEY_LENGTH] for text in texts.values]
    place_of_key = np.cumsum([0, *(a != b for a, b in pairwise(keys))])
    return np.asarray(place_of_key[places])
