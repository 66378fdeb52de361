import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException

from api.http.bodies.json import merge, parse, parse_parameter
from api.wire.base import AnyJson, JsonObject, RequestModel, WireEmbedding
from core.domain.errors import Invalid


class Thing(RequestModel):
    number: float | None = None
    free: JsonObject | None = None
    inner: "Thing | None" = None
    row: WireEmbedding | None = None


def pointers(body: bytes) -> list[str]:
    with pytest.raises(Invalid) as refused:
        parse(Thing, body)
    return [fault.pointer for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"[]", [""]),
        (b'{"number": true}', ["/number"]),
        (b'{"number": "1.5"}', ["/number"]),
        (b'{"inner": {"number": [], "x~/y": 1}}', ["/inner/number", "/inner/x~0~1y"]),
        (b'{"free": {"a": [1, {"b/c": NaN}]}}', ["/free/a/1/b~1c"]),
        (b'{"free": {"a": 18446744073709551616}}', ["/free/a"]),
        (b'{"free": {"a": -9223372036854775809}}', ["/free/a"]),
        (b'{"row": [1, null]}', ["/row/1"]),
        (b'{"row": [1, 1e39]}', ["/row/1"]),
        (b'{"row": [[1]]}', ["/row/0"]),
        (b'{"row": 1}', ["/row"]),
        (b'{"row": "AAA="}', ["/row"]),
    ],
)
def test_faults_are_pointed_at(body: bytes, wanted: list[str]) -> None:
    assert pointers(body) == wanted


def test_the_ends_of_the_range_are_in_it() -> None:
    thing = parse(Thing, b'{"free": {"a": [18446744073709551615, -9223372036854775808]}}')
    assert thing.free == {"a": [2**64 - 1, -(2**63)]}


def test_what_is_not_json_is_400() -> None:
    with pytest.raises(HTTPException) as refused:
        parse(Thing, b"{")
    assert refused.value.status_code == 400
    with pytest.raises(HTTPException) as refused:
        merge(Thing(), b"{")
    assert refused.value.status_code == 400


def test_an_embedding_is_a_list_or_base64() -> None:
    wanted = np.array([0.1, -2, 3], np.float32)
    packed = base64.b64encode(wanted.astype("<f4").tobytes())
    for body in (b'{"row": [0.1, -2, 3.0]}', b'{"row": "%s"}' % packed):
        row = parse(Thing, body).row
        assert row is not None
        np.testing.assert_array_equal(row, wanted)


def test_a_parameter_is_json() -> None:
    assert parse_parameter("filter", '{"a": [1]}') == {"a": [1]}
    for text, pointer in (("{", "/filter"), ('{"a": [1e999]}', "/filter/a/0")):
        with pytest.raises(Invalid) as refused:
            parse_parameter("filter", text)
        assert [fault.pointer for fault in refused.value.faults] == [pointer]


# RFC 7396, appendix A, the cases where both sides are objects.
@pytest.mark.parametrize(
    ("target", "patch", "wanted"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patches(
    target: dict[str, object], patch: dict[str, object], wanted: dict[str, object]
) -> None:
    body = TypeAdapter(object).dump_json({"free": patch})
    assert merge(Thing(free=target), body).free == wanted


def test_null_resets_to_the_default() -> None:
    assert merge(Thing(number=1.0), b'{"number": null}').number is None


def test_numbers_of_a_patch_are_pointed_at() -> None:
    with pytest.raises(Invalid) as refused:
        merge(Thing(), b'{"free": {"a": [-Infinity]}}')
    assert [fault.pointer for fault in refused.value.faults] == ["/free/a/0"]


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=10,
)


@given(VALUES)
def test_any_json_is_taken_as_it_is(value: object) -> None:
    adapter: TypeAdapter[object] = TypeAdapter(AnyJson)
    assert adapter.validate_json(adapter.dump_json(value)) == value
