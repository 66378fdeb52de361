"""Equality and order of JSON values, as tests on a field's value."""

from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Any, TypeAlias

from core.domain.values import caseless, compose, instant

ValueTest: TypeAlias = Callable[[object], bool]
Comparison: TypeAlias = Callable[[Any, Any], bool]
"""`operator.gt` and its kind, called on two numbers, two strings or two instants."""


def comparable(value: object, *, instants: bool) -> Hashable:
    """Return a hashable form of a JSON value; two forms are equal exactly if the values are.

    With `instants`, strings that are date-times compare as instants.
    """
    if isinstance(value, str):
        return (instant(value) or value) if instants else value
    if isinstance(value, bool):
        return bool, value  # or `true` would be 1
    if isinstance(value, list):
        return list, tuple(comparable(item, instants=instants) for item in value)
    if isinstance(value, dict):
        members = ((key, comparable(item, instants=instants)) for key, item in value.items())
        return dict, frozenset(members)
    assert isinstance(value, Hashable), "a number, a null, a datetime or MISSING"
    return value


def equals(wanted: object, *, instants: bool) -> ValueTest:
    form = comparable(wanted, instants=instants)
    if isinstance(form, str):  # which no instant is equal to
        return lambda value: value == form
    if isinstance(form, int | float):
        return lambda value: type(value) is not bool and value == form
    return lambda value: comparable(value, instants=instants) == form


def is_any_of(wanted: list[object], *, instants: bool) -> ValueTest:
    forms = {comparable(item, instants=instants) for item in wanted}
    return lambda value: comparable(value, instants=instants) in forms


def compares(comparison: Comparison, wanted: object, *, instants: bool) -> ValueTest:
    """Return the test `comparison(value, wanted)`, where both are numbers, instants or strings."""
    if not isinstance(wanted, str):
        return lambda value: (
            (type(value) is int or type(value) is float) and comparison(value, wanted)
        )
    moment = instant(wanted) if instants else None
    if moment is None:
        return lambda value: type(value) is str and comparison(value, wanted)
    return _compares_instants(comparison, wanted, moment)


def _compares_instants(comparison: Comparison, wanted: str, moment: datetime) -> ValueTest:
    def test(value: object) -> bool:
        if isinstance(value, str):
            seen = instant(value)
            return comparison(value, wanted) if seen is None else comparison(seen, moment)
        return isinstance(value, datetime) and comparison(value, moment)

    return test


def contains(wanted: object, *, instants: bool) -> ValueTest:
    """Return the test for a part of a string or a member of a list; strings compare in NFC."""
    form = _compose(wanted)
    is_wanted = equals(form, instants=instants)

    def test(value: object) -> bool:
        if isinstance(value, str):
            return isinstance(form, str) and form in compose(value)
        return isinstance(value, list) and any(is_wanted(_compose(item)) for item in value)

    return test


def icontains(wanted: str) -> ValueTest:
    """Return the test `contains`, case-insensitive by Unicode's full case folding."""
    folded = caseless(wanted)

    def test(value: object) -> bool:
        if isinstance(value, str):
            return folded in caseless(value)
        return isinstance(value, list) and any(
            isinstance(item, str) and caseless(item) == folded for item in value
        )

    return test


def starts_with(wanted: str) -> ValueTest:
    """Return the test for the begin of a string, in NFC."""
    form = compose(wanted)
    return lambda value: isinstance(value, str) and compose(value).startswith(form)


def _compose(value: object) -> object:
    return compose(value) if isinstance(value, str) else value
