"""The lists and objects of a column: by what they are as wholes, and lists by their members."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from pyroaring import BitMap

from core.domain.filters.comparing import comparable
from core.domain.values import instant
from core.indexing.attributes.bitmaps import Rows, from_rows

_BYTES_PER_FORM: Final = 200


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """`rows`: `(m,) uint32`, ascending; `values`: that of each."""

    rows: Rows
    values: Sequence[Any]

    @classmethod
    def at(cls, rows: Sequence[int], values: Sequence[Any]) -> "Located":
        """`values`: of all rows."""
        return cls(np.array(rows, np.uint32), [values[row] for row in rows])

    @property
    def memory_bytes(self) -> int:
        """Without the values themselves."""
        return self.rows.nbytes + 8 * len(self.values)

    def pairs(self) -> Iterator[tuple[int, Any]]:
        return zip(self.rows.tolist(), self.values, strict=True)


ByForm: TypeAlias = dict[Hashable, BitMap]
_Forms: TypeAlias = Callable[[bool], Iterator[tuple[int, Hashable]]]


class Composites:
    """Each way to look them up is made when it is first asked for."""

    __slots__ = ("_grouped", "_size", "lists", "objects")

    def __init__(
        self, lists: Located, objects: Located, size: int, members: ByForm | None = None
    ) -> None:
        """`members`: as `members` of another has them, if that has made them."""
        self.lists = lists
        self.objects = objects
        self._size = size
        self._grouped: dict[tuple[_Forms, bool], ByForm] = {}
        if members is not None:
            self._grouped[self._members, False] = members

    @property
    def members(self) -> ByForm | None:
        """The rows of lists by what they contain, if anything has asked for that so far."""
        return self._grouped.get((self._members, False))

    @property
    def memory_bytes(self) -> int:
        """What the forms take is an estimate."""
        total = self.lists.memory_bytes + self.objects.memory_bytes
        by_identity = {id(grouped): grouped for grouped in list(self._grouped.values())}
        for grouped in by_identity.values():
            total += sum(_BYTES_PER_FORM + len(rows.serialize()) for rows in grouped.values())
        return total

    def warm(self) -> None:
        """Makes what `with_member` needs."""
        if self.lists.values:
            self._by_form(self._members, instants=True)

    def equal_to(self, form: Hashable, *, instants: bool) -> BitMap:
        """`form`: as `comparable` makes it."""
        return self._by_form(self._wholes, instants=instants).get(form, BitMap())

    def with_member(self, wanted: object, *, instants: bool) -> BitMap:
        form = comparable(wanted, instants=instants)
        return self._by_form(self._members, instants=instants).get(form, BitMap())

    def with_folded_member(self, folded: str) -> BitMap:
        """Lists of which a string is this once its case is folded."""
        return self._by_form(self._folded, instants=False).get(folded, BitMap())

    def _by_form(self, forms: _Forms, *, instants: bool) -> ByForm:
        grouped = self._grouped.get((forms, instants))
        if grouped is None:
            # Most lists have no date-times, and so are the same either way.
            plain = self._by_form(forms, instants=False) if instants else {}
            is_plain = instants and not any(map(_may_be_instant, plain))
            grouped = plain if is_plain else _grouped(forms(instants), self._size)
            self._grouped[forms, instants] = grouped
        return grouped

    def _wholes(self, instants: bool) -> Iterator[tuple[int, Hashable]]:
        for located in (self.lists, self.objects):
            for row, value in located.pairs():
                yield row, comparable(value, instants=instants)

    def _members(self, instants: bool) -> Iterator[tuple[int, Hashable]]:
        for row, items in self.lists.pairs():
            for item in items:
                yield row, comparable(item, instants=instants)

    def _folded(self, _: bool) -> Iterator[tuple[int, Hashable]]:
        for row, items in self.lists.pairs():
            for item in items:
                if isinstance(item, str):
                    yield row, item.casefold()


def _grouped(forms: Iterable[tuple[int, Hashable]], size: int) -> ByForm:
    rows_of: dict[Hashable, list[int]] = {}
    for row, form in forms:
        rows_of.setdefault(form, []).append(row)
    return {
        form: from_rows(np.unique(np.array(rows, np.uint32)), size, ascending=True)
        for form, rows in rows_of.items()
    }


def _may_be_instant(form: Hashable) -> bool:
    return isinstance(form, tuple) or (isinstance(form, str) and instant(form) is not None)
