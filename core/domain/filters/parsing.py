"""Parses a filter in JSON to a checked tree."""

from collections.abc import Iterable

from core.domain.errors import Fault, Invalid
from core.domain.filters.fields import parse_field
from core.domain.filters.operators import check_operand
from core.domain.filters.tree import And, Condition, Filter, Not, Op, Or
from core.domain.pointers import join
from core.domain.schema import MetadataSchema

MAX_DEPTH = 32
MAX_NODES = 1_000

_OPS = tuple(op.value for op in Op)


def parse(raw: object, schema: MetadataSchema | None = None, pointer: str = "/filter") -> Filter:
    """Check a filter, given as parsed JSON, and return its tree.

    `pointer` is the filter's place in the input, and the prefix of each fault's pointer.

    Raises:
        Invalid: a part is no filter, names an unknown field, or compares a field with a value of
            another type, with a fault for each; or the filter has more than `MAX_DEPTH` levels
            or `MAX_NODES` parts.
    """
    _check_size(raw, pointer)
    return _parse(raw, schema, pointer)


def _check_size(raw: object, pointer: str) -> None:
    nodes = 0
    level: list[object] = [raw]
    for _ in range(MAX_DEPTH):
        nodes += len(level)
        if nodes > MAX_NODES:
            raise Invalid.at(pointer, f"A filter has at most {MAX_NODES} parts.")
        level = [inner for node in level for inner in _inside(node)]
        if not level:
            return
    raise Invalid.at(pointer, f"A filter may be at most {MAX_DEPTH} levels deep.")


def _inside(node: object) -> Iterable[object]:
    if not isinstance(node, dict):
        return
    for key in ("and", "or"):
        if isinstance(node.get(key), list):
            yield from node[key]
    if "not" in node:
        yield node["not"]


def _parse(raw: object, schema: MetadataSchema | None, pointer: str) -> Filter:
    if not isinstance(raw, dict):
        raise Invalid.at(pointer, "A filter must be a JSON object.")
    match set(raw):
        case keys if keys == {"and"}:
            return And(_parse_all(raw["and"], schema, join(pointer, "and")))
        case keys if keys == {"or"}:
            return Or(_parse_all(raw["or"], schema, join(pointer, "or")))
        case keys if keys == {"not"}:
            return Not(_parse(raw["not"], schema, join(pointer, "not")))
        case keys if keys == {"field", "op", "value"}:
            return _parse_condition(raw, schema, pointer)
    detail = "A filter has one of 'and', 'or', 'not', or all of 'field', 'op' and 'value'."
    raise Invalid.at(pointer, detail)


def _parse_all(raw: object, schema: MetadataSchema | None, pointer: str) -> tuple[Filter, ...]:
    if not isinstance(raw, list) or not raw:
        raise Invalid.at(pointer, "This must be a list of at least one filter.")
    filters: list[Filter] = []
    faults: list[Fault] = []
    for i, item in enumerate(raw):
        try:
            filters.append(_parse(item, schema, join(pointer, i)))
        except Invalid as invalid:
            faults.extend(invalid.faults)
    if faults:
        raise Invalid(faults)
    return tuple(filters)


def _parse_condition(
    raw: dict[str, object], schema: MetadataSchema | None, pointer: str
) -> Condition:
    field = parse_field(raw["field"], schema, join(pointer, "field"))
    op = _parse_op(raw["op"], join(pointer, "op"))
    check_operand(field.type, op, raw["value"], pointer)
    return Condition(field, op, raw["value"])


def _parse_op(raw: object, pointer: str) -> Op:
    if isinstance(raw, str) and raw in _OPS:
        return Op(raw)
    raise Invalid.at(pointer, f"An operator must be one of {', '.join(_OPS)}.")
