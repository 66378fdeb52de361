from typing import Any

import pytest

from core.domain.errors import Invalid
from core.domain.schema import FieldRule, FieldType, MetadataSchema, conforms


def pointers(schema: MetadataSchema, metadata: dict[str, Any]) -> list[str]:
    with pytest.raises(Invalid) as caught:
        schema.check(metadata, "/metadata")
    return [fault.pointer for fault in caught.value.faults]


GOOD: dict[FieldType, list[object]] = {
    FieldType.STRING: ["", "x"],
    FieldType.INTEGER: [0, -1, 10**30],
    FieldType.NUMBER: [0, 1.5, 3.0],
    FieldType.BOOLEAN: [True, False],
    FieldType.DATETIME: ["2026-01-31T12:00:00+02:00"],
    FieldType.STRING_LIST: [[], ["a", "b"]],
}
BAD: dict[FieldType, list[object]] = {
    FieldType.STRING: [1, None, ["x"]],
    FieldType.INTEGER: [True, 3.0, "3", None],
    FieldType.NUMBER: [True, "1.5", None],
    FieldType.BOOLEAN: [0, 1, "true"],
    FieldType.DATETIME: ["2026-01-31", "2026-01-31T12:00:00", 0],
    FieldType.STRING_LIST: ["a", ["a", 1], {}],
}


@pytest.mark.parametrize("type_", list(FieldType))
def test_each_type_takes_its_own_values_only(type_: FieldType) -> None:
    schema = MetadataSchema({"x": FieldRule(type_)})
    for value in GOOD[type_]:
        schema.check({"x": value}, "/metadata")
        assert conforms(value, type_)
    for value in BAD[type_]:
        assert pointers(schema, {"x": value}) == ["/metadata/x"]


def test_every_broken_rule_is_a_fault() -> None:
    schema = MetadataSchema(
        {
            "a/b": FieldRule(FieldType.INTEGER),
            "need": FieldRule(FieldType.STRING, required=True),
            "color": FieldRule(FieldType.STRING, enum=("red", "blue")),
        },
        additional=False,
    )
    metadata = {"a/b": "x", "color": "green", "more": 1}
    assert pointers(schema, metadata) == [
        "/metadata/a~1b",
        "/metadata/need",
        "/metadata/color",
        "/metadata/more",
    ]


def test_unknown_fields_are_allowed_unless_refused() -> None:
    MetadataSchema().check({"anything": [1, None, {"x": {}}]}, "/metadata")
    MetadataSchema(additional=False).check({}, "/metadata")
    assert pointers(MetadataSchema(additional=False), {"x": None}) == ["/metadata/x"]


def test_an_enum_holds_for_the_members_of_a_list() -> None:
    schema = MetadataSchema({"tags": FieldRule(FieldType.STRING_LIST, enum=("a", "b"))})
    schema.check({"tags": ["b", "a", "b"]}, "/metadata")
    assert pointers(schema, {"tags": ["a", "c", "d"]}) == ["/metadata/tags/1", "/metadata/tags/2"]


def test_an_enum_compares_date_times_as_instants_and_numbers_by_value() -> None:
    schema = MetadataSchema(
        {
            "at": FieldRule(FieldType.DATETIME, enum=("2026-01-31T12:00:00Z",)),
            "n": FieldRule(FieldType.NUMBER, enum=(1,)),
        }
    )
    schema.check({"at": "2026-01-31T13:00:00+01:00", "n": 1.0}, "/metadata")
    assert pointers(schema, {"at": "2026-01-31T13:00:00Z"}) == ["/metadata/at"]


def test_a_dotted_field_is_the_literal_key_or_else_nested() -> None:
    rule = FieldRule(FieldType.STRING, required=True)
    schema = MetadataSchema({"author.name": rule}, additional=False)
    schema.check({"author": {"name": "x"}}, "/metadata")
    schema.check({"author.name": "x"}, "/metadata")
    schema.check({"author.name": "x", "author": {}}, "/metadata")
    assert pointers(schema, {}) == ["/metadata/author/name"]
    assert pointers(schema, {"author": {"name": 1, "age": 3}}) == [
        "/metadata/author/name",
        "/metadata/author/age",
    ]
    assert pointers(schema, {"author": "x"}) == ["/metadata/author/name", "/metadata/author"]
    # The literal key is the field, so the nested one is none.
    assert pointers(schema, {"author.name": "x", "author": {"name": "y"}}) == [
        "/metadata/author/name"
    ]


@pytest.mark.parametrize("name", ["", ".a", "a.", "a..b", "a\nb", "x" * 257])
def test_insane_field_names_are_refused(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        MetadataSchema({name: FieldRule(FieldType.STRING)}).check_itself("/metadata_schema")
    assert [f.pointer for f in caught.value.faults] == [f"/metadata_schema/fields/{name}"]


def test_an_enum_has_values_of_its_field_s_type() -> None:
    schema = MetadataSchema(
        {
            "none": FieldRule(FieldType.STRING, enum=()),
            "n": FieldRule(FieldType.INTEGER, enum=(1, True, 2.0)),
            "tags": FieldRule(FieldType.STRING_LIST, enum=("a", 1)),
        }
    )
    with pytest.raises(Invalid) as caught:
        schema.check_itself("/metadata_schema")
    assert [f.pointer for f in caught.value.faults] == [
        "/metadata_schema/fields/none/enum",
        "/metadata_schema/fields/n/enum/1",
        "/metadata_schema/fields/n/enum/2",
        "/metadata_schema/fields/tags/enum/1",
    ]


def test_a_sane_schema_passes() -> None:
    fields = {
        "author.name": FieldRule(FieldType.STRING, required=True),
        "tags": FieldRule(FieldType.STRING_LIST, enum=("a",)),
        "at": FieldRule(FieldType.DATETIME, enum=("2026-01-31T12:00:00Z",)),
    }
    MetadataSchema(fields, additional=False).check_itself("/metadata_schema")
