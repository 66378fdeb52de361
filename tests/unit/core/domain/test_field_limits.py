"""Names of fields: a bound on characters and dots, in filters, orders and schemas."""

import pytest

from core.domain.errors import Invalid
from core.domain.filters import parse, parse_order
from core.domain.schema import FieldRule, FieldType, MetadataSchema
from core.domain.values import MISSING, locate, value_of

_TOO_LONG = ["." * 1_000_000, "a." * 17 + "a", "a" * 300]


@pytest.mark.parametrize("name", _TOO_LONG)
def test_a_name_beyond_the_bounds_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="/filter/field"):
        parse({"field": name, "op": "eq", "value": 1})
    with pytest.raises(Invalid, match="/order_by"):
        parse_order(name)
    with pytest.raises(Invalid):
        MetadataSchema({name: FieldRule(FieldType.STRING)}).check_itself("")


@pytest.mark.parametrize("name", ["a" * 256, "document.metadata." + "a" * 256, "a." * 16 + "a"])
def test_a_name_at_the_bounds_is_taken(name: str) -> None:
    parse({"field": name, "op": "eq", "value": 1})


@pytest.mark.parametrize("name", ["a", "a.b", "a.b.c", "a.x", "x", "x.y", "d.e", "a.b.c.d"])
def test_a_value_is_the_located_one(name: str) -> None:
    metadata = {"a": {"b": 1, "b.c": {"d": 2}}, "d.e": 3, "x": [1]}
    assert value_of(metadata, name) is locate(metadata, name)[1]
    assert value_of({}, name) is MISSING
