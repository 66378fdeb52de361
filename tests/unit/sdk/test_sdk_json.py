"""Python values in bodies and filters: sent in their natural form, or refused by place."""

import json
from array import array
from collections import OrderedDict, deque, namedtuple
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, ClassVar
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nalanda import InvalidType, InvalidValue, Nalanda, NalandaError
from nalanda._json import MAX_LEVELS, dump, plain
from tests.unit.sdk.script import CHUNK, DOCUMENT, FOUND, HANDLE, LIBRARY, Script, ok, page

ID = UUID("12345678-1234-5678-1234-567812345678")
EAST = timezone(timedelta(hours=5, minutes=30))
Point = namedtuple("Point", "x y")


class Colour(Enum):
    RED = "red"


class Size(IntEnum):
    LARGE = 3


class Word(StrEnum):
    YES = "yes"


class ArrayLike:
    """A fake of TensorFlow's tensors: no `tolist`, but numpy's array protocol."""

    def __array__(self) -> Any:
        return np.array([1.5, 2.5], np.float32)


class Tensor:
    """A fake of PyTorch's tensors: `tolist`, and no buffer."""

    shape: ClassVar = (2,)

    def tolist(self) -> list[float]:
        return [1.5, 2.5]


class Broken:
    def tolist(self) -> list[float]:
        raise RuntimeError("on another device")


FORMS: list[tuple[object, object]] = [
    (np.int64(3), 3),
    (np.uint8(3), 3),
    (np.float64(1.5), 1.5),
    (np.float32(0.1), float(np.float32(0.1))),
    (np.float16(0.5), 0.5),
    (np.longdouble(1.5), 1.5),
    (np.bool_(True), True),
    (np.str_("text"), "text"),
    (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    (np.array(2.5), 2.5),
    (np.array(["a", None], object), ["a", None]),
    (np.datetime64("2026-01-02"), "2026-01-02"),
    (np.datetime64("2026-01-02T03:04:05.000000001"), "2026-01-02T03:04:05Z"),
    (np.array(["2026-01-02T03:04"], "M8[ns]"), ["2026-01-02T03:04:00Z"]),
    (array("d", [1, 2]), [1, 2]),
    (memoryview(b"\1\2"), [1, 2]),
    (ArrayLike(), [1.5, 2.5]),
    (Tensor(), [1.5, 2.5]),
    (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
    (datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=EAST), "2026-01-01T21:34:05.000600Z"),
    (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05Z"),  # noqa: DTZ001
    (datetime(5, 1, 2, tzinfo=UTC), "0005-01-02T00:00:00Z"),
    (date(2026, 1, 2), "2026-01-02"),
    (Decimal("19.99"), 19.99),
    (Decimal("5.00"), 5),
    (Decimal("-0.1"), -0.1),
    (Decimal("1E+30"), 1e30),
    (Decimal(2**60 + 1), 2**60 + 1),
    (ID, str(ID)),
    (Colour.RED, "red"),
    (Size.LARGE, 3),
    (Word.YES, "yes"),
    (PurePosixPath("a/b.md"), "a/b.md"),
    ((1, "a"), [1, "a"]),
    (Point(1, 2), [1, 2]),
    (deque([1]), [1]),
    (range(2), [0, 1]),
    ({3, 1, 2}, [1, 2, 3]),
    (frozenset({"b", "a"}), ["a", "b"]),
    ({"b", 1}, ["b", 1]),
    ({"a": 1}.keys(), ["a"]),
    (OrderedDict(a=1), {"a": 1}),
    (MappingProxyType({"a": {"b": None}}), {"a": {"b": None}}),
    ({Word.YES: 1}, {"yes": 1}),
    (2**64 - 1, 2**64 - 1),
    (-(2**63), -(2**63)),
    ("é😀", "é😀"),
]


@pytest.mark.parametrize(("value", "form"), FORMS, ids=lambda v: type(v).__name__)
def test_what_has_an_obvious_form(value: object, form: object) -> None:
    sent = json.loads(dump(value))
    assert sent == form
    assert type(sent) is type(form)


def _cycle() -> list[object]:
    inside: list[object] = []
    inside.append({"again": inside})
    return inside


def _nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


REFUSED: list[tuple[object, str, type[InvalidValue]]] = [
    (float("nan"), "is nan", InvalidValue),
    (float("-inf"), "is -inf", InvalidValue),
    (np.float32("nan"), "is nan", InvalidValue),
    (np.longdouble("inf"), "is inf", InvalidValue),
    (np.datetime64("NaT"), "NaT", InvalidValue),
    (np.array(["2026-01-02", "NaT"], "M8[D]"), "NaT", InvalidValue),
    (np.timedelta64(1, "s"), "datetime.timedelta", InvalidType),
    (np.complex64(1), "complex", InvalidType),
    (Decimal("NaN"), "NaN", InvalidValue),
    (Decimal("sNaN"), "sNaN", InvalidValue),
    (Decimal("-Infinity"), "Infinity", InvalidValue),
    (Decimal("0.12345678901234567890"), "no float64", InvalidValue),
    (Decimal("1E+400"), "no float64", InvalidValue),
    (Decimal("1E-400"), "no float64", InvalidValue),
    (2**64, "64 bits", InvalidValue),
    (10**5000, "64 bits", InvalidValue),
    (datetime.min.replace(tzinfo=EAST), "no year", InvalidValue),
    ("a\ud800", "lone surrogate at character 1", InvalidValue),
    ({"a\udfff": 1}, "lone surrogate", InvalidValue),
    ({1: "a"}, "a key of the type int", InvalidType),
    ({None: "a"}, "a key of the type NoneType", InvalidType),
    (_cycle(), "contains itself", InvalidValue),
    (_nested(MAX_LEVELS), "nested too deeply", InvalidValue),
    (_nested(100_000), "nested too deeply", InvalidValue),
    (b"bytes", "of the type bytes", InvalidType),
    (object(), "of the type object", InvalidType),
    (timedelta(1), "datetime.timedelta", InvalidType),
    (Fraction(1, 2), "fractions.Fraction", InvalidType),
    (iter([1]), "list_iterator", InvalidType),
    (np.float64, "of the type type", InvalidType),
    (lambda: 1, "of the type function", InvalidType),
    (Broken(), "can't be read: on another device", InvalidValue),
]


@pytest.mark.parametrize(("value", "said", "kind"), REFUSED, ids=lambda v: type(v).__name__)
def test_what_has_none_is_refused_by_its_place(
    value: object, said: str, kind: type[InvalidValue]
) -> None:
    with pytest.raises(InvalidValue, match=said) as raised:
        dump({"metadata": {"price": value}})
    assert type(raised.value) is kind
    assert raised.value.place.startswith("metadata.price")
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, NalandaError)
    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, TypeError) == (kind is InvalidType)


def test_places_are_read_as_python_writes_them() -> None:
    with pytest.raises(InvalidValue) as raised:
        dump({"metadata": {"a b": [0, {"c": float("nan")}]}})
    assert raised.value.place == "metadata['a b'][1].c"
    with pytest.raises(InvalidType, match=r"^The body is of the type set_iterator"):
        dump(iter(set()))


def test_the_same_object_twice_is_no_cycle() -> None:
    inner = {"a": 1}
    assert plain([inner, inner]) == [inner, inner]


def test_as_many_levels_as_the_server_reads() -> None:
    assert plain(_nested(MAX_LEVELS)) == _nested(MAX_LEVELS)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
)


@given(json_values)
def test_json_stays_what_it_is(value: object) -> None:
    assert json.loads(dump(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_exact_or_refused(value: Decimal) -> None:
    try:
        sent = dump(value)
    except InvalidValue:
        assert Decimal(repr(float(value))) != value
    else:
        assert Decimal(sent) == value


NAN = float("nan")
CALLS = {
    "metadata.a": [
        lambda c: c.libraries.create("b", metadata={"a": NAN}),
        lambda c: c.libraries.replace("l", "b", metadata={"a": NAN}),
        lambda c: c.libraries.update("l", {"metadata": {"a": NAN}}),
        lambda c: c.documents.create("l", metadata={"a": NAN}),
        lambda c: c.documents.replace("l", "d", metadata={"a": NAN}),
        lambda c: c.documents.update("l", "d", {"metadata": {"a": NAN}}),
        lambda c: c.chunks.put("l", "c", document_id="d", text="t", metadata={"a": NAN}),
        lambda c: c.chunks.update("l", "c", {"metadata": {"a": NAN}}),
    ],
    "chunks[1].metadata.a": [
        lambda c: c.chunks.add("l", "d", [{"text": "t"}, {"text": "t", "metadata": {"a": NAN}}]),
        lambda c: c.documents.create("l", chunks=[{"text": "t"}, {"metadata": {"a": NAN}}]),
    ],
    "filter.value": [
        lambda c: c.search("l", text="t", filter={"field": "a", "op": "eq", "value": NAN}),
        lambda c: c.chunks.delete_many("l", filter={"field": "a", "op": "eq", "value": NAN}),
        lambda c: list(c.chunks.list("l", filter={"field": "a", "op": "eq", "value": NAN})),
        lambda c: c.queries.start("l", "q", filter={"field": "a", "op": "eq", "value": NAN}),
        lambda c: c.ask("l", "q", filter={"field": "a", "op": "eq", "value": NAN}),
    ],
    "searches[1].filter.value[0]": [
        lambda c: c.search_batch("l", [{"text": "t"}, {"filter": {"value": [NAN]}}]),
    ],
    "embedding[1]": [
        lambda c: c.search("l", embedding=[1, NAN]),
        lambda c: c.search("l", embedding=np.array([1, NAN])),
        lambda c: c.chunks.update("l", "c", {"embedding": [1, NAN]}),
    ],
    "chunks[0].embedding": [
        lambda c: c.chunks.add("l", "d", [{"text": "t", "embedding": np.zeros((1, 2))}]),
        lambda c: c.documents.update("l", "d", {"chunks": [{"text": "t", "embedding": 5}]}),
    ],
    "chunks[0]": [lambda c: c.chunks.add("l", "d", ["t"])],
    "chunks": [lambda c: c.documents.create("l", chunks=5)],
    "searches": [lambda c: c.search_batch("l", 5)],
    "weights.vector": [lambda c: c.search("l", text="t", weights={"vector": NAN, "lexical": 1})],
    "deadline_s": [lambda c: c.queries.start("l", "q", deadline_s=float("inf"))],
    "ef": [lambda c: c.index.configure("l", "hnsw", ef=NAN)],
    "rating": [lambda c: c.queries.feedback("q", 1j)],
    "order_by": [lambda c: list(c.chunks.list("l", order_by="\ud800"))],
    "idempotency_key": [lambda c: c.queries.start("l", "q", idempotency_key="ключ")],
    "if_match": [
        lambda c: c.libraries.delete("l", if_match="\n"),
        lambda c: c.libraries.delete("l", if_match=1.5),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("place", "call"), [(p, c) for p, calls in CALLS.items() for c in calls])
def test_nothing_is_sent_of_what_is_refused(place: str, call: Any) -> None:
    script = Script(ok({}))
    with script.client() as client, pytest.raises(InvalidValue) as raised:
        call(client)
    assert raised.value.place == place
    assert script.requests == []


async def test_the_asynchronous_client_refuses_the_same() -> None:
    script = Script(ok({}))
    async with script.async_client() as client:
        with pytest.raises(InvalidValue, match=r"^chunks\[0\]\.metadata\.a is nan"):
            await client.chunks.add("l", "d", [{"text": "t", "metadata": {"a": NAN}}])
        with pytest.raises(InvalidValue, match=r"^embedding\[0\] is nan"):
            await client.search("l", embedding=[NAN])
    assert script.requests == []


def _sent(call: Any, answer: Any) -> Any:
    script = Script(answer)
    with script.client() as client:
        call(client)
    return script.body


def test_values_in_each_kind_of_body() -> None:
    metadata = {"price": Decimal("19.99"), "n": np.int64(1), "at": date(2026, 1, 2), "id": ID}
    form = {"price": 19.99, "n": 1, "at": "2026-01-02", "id": str(ID)}
    assert _sent(lambda c: c.libraries.create("b", metadata=metadata), ok(LIBRARY)) == {
        "name": "b",
        "metadata": form,
    }
    chunk: Any = {"text": "t", "metadata": metadata, "embedding": [np.float32(1), Decimal(2)]}
    body = _sent(lambda c: c.chunks.add("l", "d", [chunk]), ok({"items": [CHUNK]}))
    assert body == {"chunks": [{"text": "t", "metadata": form, "embedding": [1, 2]}]}
    patch = {"chunks": [{**chunk, "embedding": np.ones(1)}]}
    body = _sent(lambda c: c.documents.update("l", "d", patch), ok(DOCUMENT))
    assert body["chunks"][0]["embedding"] == "AACAPw=="
    filter_ = {"field": "n", "op": "in", "value": {np.int64(2), 1}}
    body = _sent(lambda c: c.search("l", text="t", k=np.int64(3), filter=filter_), ok(FOUND))
    assert body == {"text": "t", "k": 3, "filter": {"field": "n", "op": "in", "value": [1, 2]}}
    body = _sent(lambda c: c.queries.start("l", "q", filter=filter_), ok(HANDLE))
    assert body["filter"]["value"] == [1, 2]


def test_values_in_a_path_and_its_parameters() -> None:
    script = Script(page([]))
    seen = {"field": "seen", "op": "lt", "value": datetime(2026, 1, 2, tzinfo=EAST)}
    with script.client() as client:
        list(client.chunks.list(str(ID), filter=seen, page_size=np.int64(5)))  # type: ignore[arg-type]
        assert json.loads(script.last.url.params["filter"])["value"] == "2026-01-01T18:30:00Z"
        assert script.last.url.params["limit"] == "5"
        list(client.queries.list(since=datetime(2026, 1, 2, tzinfo=EAST)))
        assert script.last.url.params["since"] == "2026-01-01T18:30:00Z"
        with Script(ok(LIBRARY)).client() as other:
            other.libraries.update("l", {}, if_match=np.int64(7))  # type: ignore[arg-type]


def test_a_key_that_no_header_can_carry() -> None:
    with pytest.raises(InvalidValue, match=r"^api_key goes into a header"):
        Nalanda("http://server", api_key="secret\n")
