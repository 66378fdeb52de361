"""The lists and objects of a column, looked up as a whole, and lists also by member."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from pyroaring import BitMap

from core.domain.filters.comparing import comparable
from core.domain.values import caseless, compose, instant
from core.indexing.attributes.bitmaps import Rows, from_rows

_BYTES_PER_FORM: Final = 200


ValuesAt: TypeAlias = Callable[[Rows], Sequence[Any]]
"""Reads the values of the given rows from the chunks, in the given order."""
ByForm: TypeAlias = dict[Hashable, BitMap]
_Forms: TypeAlias = Callable[[bool], Iterator[tuple[int, Hashable]]]


class Composites:
    """The rows with lists and objects; each look-up table is built when it is first needed.

    The lists and objects themselves stay in the chunks.
    """

    __slots__ = ("_composed", "_grouped", "_size", "_values_at", "lists", "objects")

    def __init__(
        self,
        lists: Rows,
        objects: Rows,
        size: int,
        values_at: ValuesAt,
        members: ByForm | None = None,
    ) -> None:
        """Hold the ascending rows whose value is a list or an object.

        `members`: the `members` of another instance, if that has built them.
        """
        self.lists = lists
        self.objects = objects
        self._size = size
        self._values_at = values_at
        self._grouped: dict[tuple[_Forms, bool], ByForm] = {}
        self._composed: dict[bool, ByForm] = {}
        if members is not None:
            self._grouped[self._members, False] = members

    @property
    def members(self) -> ByForm | None:
        """The rows of lists by member; `None` until a filter needs them."""
        return self._grouped.get((self._members, False))

    @property
    def memory_bytes(self) -> int:
        """The bytes of the rows, and an estimate of the look-up tables."""
        total = self.lists.nbytes + self.objects.nbytes
        by_identity = {id(grouped): grouped for grouped in list(self._grouped.values())}
        for grouped in by_identity.values():
            total += sum(_BYTES_PER_FORM + len(rows.serialize()) for rows in grouped.values())
        return total

    def warm(self) -> None:
        """Build what `with_member` needs."""
        if len(self.lists):
            self._by_form(self._members, instants=True)

    def equal_to(self, form: Hashable, *, instants: bool) -> BitMap:
        """Return the rows whose value equals `form`, a result of `comparable`."""
        return self._by_form(self._wholes, instants=instants).get(form, BitMap())

    def with_member(self, wanted: object, *, instants: bool) -> BitMap:
        form = comparable(wanted, instants=instants)
        return self._by_form(self._members, instants=instants).get(form, BitMap())

    def with_composed_member(self, wanted: str, *, instants: bool) -> BitMap:
        """Return the lists that contain a string whose NFC equals `wanted`."""
        composed_members = self._composed.get(instants)
        if composed_members is None:
            composed_members = _by_composed(self._by_form(self._members, instants=instants))
            self._composed[instants] = composed_members
        return composed_members.get(comparable(wanted, instants=instants), BitMap())

    def with_folded_member(self, folded: str) -> BitMap:
        """Return the lists that contain a string whose case folding equals `folded`."""
        return self._by_form(self._fold_items, instants=False).get(folded, BitMap())

    def _by_form(self, forms: _Forms, *, instants: bool) -> ByForm:
        grouped = self._grouped.get((forms, instants))
        if grouped is None:
            # Most lists have no date-times, so one table serves both values of `instants`.
            plain = self._by_form(forms, instants=False) if instants else {}
            is_plain = instants and not any(map(_may_be_instant, plain))
            grouped = plain if is_plain else _group_by_form(forms(instants), self._size)
            self._grouped[forms, instants] = grouped
        return grouped

    def _wholes(self, instants: bool) -> Iterator[tuple[int, Hashable]]:
        for rows in (self.lists, self.objects):
            for row, value in self._pairs(rows):
                yield row, comparable(value, instants=instants)

    def _members(self, instants: bool) -> Iterator[tuple[int, Hashable]]:
        return _members(self._pairs(self.lists), instants=instants)

    def _fold_items(self, _: bool) -> Iterator[tuple[int, Hashable]]:
        for row, items in self._pairs(self.lists):
            for item in items:
                if isinstance(item, str):
                    yield row, caseless(item)

    def _pairs(self, rows: Rows) -> Iterator[tuple[int, Any]]:
        return zip(rows.tolist(), self._values_at(rows), strict=True)


def members_of(lists: Iterable[tuple[int, Any]], size: int) -> ByForm:
    """Return the rows of lists by member, as `Composites.members`; `lists`: each with its row."""
    return _group_by_form(_members(lists, instants=False), size)


def _members(lists: Iterable[tuple[int, Any]], *, instants: bool) -> Iterator[tuple[int, Hashable]]:
    for row, items in lists:
        for item in items:
            yield row, comparable(item, instants=instants)


def _group_by_form(forms: Iterable[tuple[int, Hashable]], size: int) -> ByForm:
    rows_of: dict[Hashable, list[int]] = {}
    for row, form in forms:
        rows_of.setdefault(form, []).append(row)
    return {
        form: from_rows(np.unique(np.array(rows, np.uint32)), size, ascending=True)
        for form, rows in rows_of.items()
    }


def _by_composed(members: ByForm) -> ByForm:
    """Return the rows by the composed form of strings; the same table if all are composed."""
    others = [form for form in members if isinstance(form, str) and compose(form) != form]
    if not others:
        return members
    by_composed = dict(members)
    for form in others:
        by_composed[compose(form)] = by_composed.get(compose(form), BitMap()) | members[form]
    return by_composed


def _may_be_instant(form: Hashable) -> bool:
    return isinstance(form, tuple) or (isinstance(form, str) and instant(form) is not None)
