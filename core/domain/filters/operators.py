"""The operators of conditions: the values that each takes, and the test that it stands for."""

import operator
from typing import cast

from core.domain.errors import Invalid
from core.domain.filters import comparing
from core.domain.filters.comparing import ValueTest
from core.domain.filters.tree import Condition, Op
from core.domain.pointers import join
from core.domain.schema import EXPECTED, FieldType, conforms
from core.domain.values import MISSING

MAX_VALUES = 10_000

_EQUALITY = frozenset({Op.EQ, Op.NE, Op.IN, Op.NIN, Op.EXISTS})
_ORDER = frozenset({Op.GT, Op.GTE, Op.LT, Op.LTE, Op.BETWEEN})
_PARTS = frozenset({Op.CONTAINS, Op.ICONTAINS})
_LISTS = frozenset({Op.IN, Op.NIN, Op.BETWEEN})
_COMPARISONS = {Op.GT: operator.gt, Op.GTE: operator.ge, Op.LT: operator.lt, Op.LTE: operator.le}

_OPS_OF_TYPE = {
    FieldType.STRING: frozenset(Op),
    FieldType.INTEGER: _EQUALITY | _ORDER,
    FieldType.NUMBER: _EQUALITY | _ORDER,
    FieldType.BOOLEAN: _EQUALITY,
    FieldType.DATETIME: _EQUALITY | _ORDER,
    FieldType.STRING_LIST: _EQUALITY | _PARTS,
}


def check_operand(type_: FieldType | None, op: Op, value: object, pointer: str) -> None:
    """Check a condition's value; `pointer` is that of the condition.

    Raises:
        Invalid: the operator is not for this type of field, or the value has not the operator's
            shape or not the field's type.
    """
    where = join(pointer, "value")
    if type_ is not None and op not in _OPS_OF_TYPE[type_]:
        detail = f"{op.value!r} does not apply to a field that is {EXPECTED[type_]}."
        raise Invalid.at(join(pointer, "op"), detail)
    _check_shape(op, value, where)
    if type_ is not None and op is not Op.EXISTS:
        _check_type(type_, op, value, where)


def _check_shape(op: Op, value: object, pointer: str) -> None:
    match op:
        case Op.IN | Op.NIN:
            if not isinstance(value, list) or len(value) > MAX_VALUES:
                raise Invalid.at(pointer, f"{op.value!r} takes a list of at most {MAX_VALUES}.")
        case Op.BETWEEN:
            if not (isinstance(value, list) and len(value) == 2 and _have_order(*value)):
                raise Invalid.at(pointer, "'between' takes a list of two numbers or two strings.")
        case Op.GT | Op.GTE | Op.LT | Op.LTE:
            if not _have_order(value, value):
                raise Invalid.at(pointer, f"{op.value!r} takes a number or a string.")
        case Op.ICONTAINS | Op.STARTS_WITH:
            if not isinstance(value, str):
                raise Invalid.at(pointer, f"{op.value!r} takes a string.")
        case Op.CONTAINS:
            if isinstance(value, list | dict):
                raise Invalid.at(pointer, "'contains' takes one value, no list or object.")
        case Op.EXISTS:
            if not isinstance(value, bool):
                raise Invalid.at(pointer, "'exists' takes true or false.")


def _have_order(low: object, high: object) -> bool:
    """Return whether both are numbers or both strings, the JSON values that have an order."""
    return any(
        conforms(low, type_) and conforms(high, type_)
        for type_ in (FieldType.NUMBER, FieldType.STRING)
    )


def _check_type(type_: FieldType, op: Op, value: object, pointer: str) -> None:
    if op in _PARTS:  # of a string or of a list of strings
        type_ = FieldType.STRING
    members = {pointer: value}
    if op in _LISTS and isinstance(value, list):
        members = {join(pointer, i): item for i, item in enumerate(value)}
    for where, member in members.items():
        if not conforms(member, type_):
            raise Invalid.at(where, f"This field is {EXPECTED[type_]}.")


def value_test(condition: Condition) -> ValueTest:
    """Return the test of a field's value that a condition stands for."""
    op, value = condition.op, condition.value
    instants = condition.field.type not in {FieldType.STRING, FieldType.STRING_LIST}
    match op:
        case Op.EQ:
            return comparing.equals(value, instants=instants)
        case Op.NE:
            return _negate(comparing.equals(value, instants=instants))
        case Op.IN:
            return comparing.is_any_of(cast("list[object]", value), instants=instants)
        case Op.NIN:
            return _negate(comparing.is_any_of(cast("list[object]", value), instants=instants))
        case Op.GT | Op.GTE | Op.LT | Op.LTE:
            return comparing.compares(_COMPARISONS[op], value, instants=instants)
        case Op.BETWEEN:
            return _between(cast("list[object]", value), instants)
        case Op.CONTAINS:
            return comparing.contains(value, instants=instants)
        case Op.ICONTAINS:
            return comparing.icontains(cast("str", value))
        case Op.STARTS_WITH:
            return comparing.starts_with(cast("str", value))
        case Op.EXISTS:
            return lambda actual: (actual is not MISSING) is value


def _negate(test: ValueTest) -> ValueTest:
    return lambda value: not test(value)


def _between(ends: list[object], instants: bool) -> ValueTest:
    from_low = comparing.compares(operator.ge, ends[0], instants=instants)
    to_high = comparing.compares(operator.le, ends[1], instants=instants)
    return lambda value: from_low(value) and to_high(value)
