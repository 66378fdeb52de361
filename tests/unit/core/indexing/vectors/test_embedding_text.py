"""Embeddings in a body are read as a JSON parser and a decoder of base64 read them."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.indexing.vectors.embedding_text import base64_in, numbers_in

FLOATS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30)


def numbers(text: str) -> list[float] | None:
    body = f"[{text}]".encode()
    read = numbers_in(body, 1, len(body) - 1)
    return None if read is None else read.tolist()


@given(st.lists(FLOATS | st.integers(-(10**20), 10**20), min_size=1))
def test_numbers_are_rounded_to_the_nearest(values: list[float]) -> None:
    read = numbers(", ".join(map(json.dumps, values)))
    if read is None:  # a tiny number, or one in the middle between two
        return
    assert read == np.array(values, np.float64).astype(np.float32).tolist()


@given(
    st.lists(
        st.floats(width=32, min_value=-1e6, max_value=1e6).filter(lambda x: abs(x) > 1e-30),
        min_size=1,
    )
)
def test_what_was_float32_is_always_read(values: list[float]) -> None:
    assert numbers(",".join(map(repr, values))) == values


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (" 1 ,\n-2.5\t,\r3e2 ", [1, -2.5, 300]),
        ("0.1", [np.float32(0.1)]),
        ("123456789012345678901234567890", [np.float32(1.2345679e29)]),
        ("1E+2,1e-2", [100, np.float32(0.01)]),
        ("0,-0,0.0", [0, 0, 0]),
        ("0.00000000000000000000001", [np.float32(1e-23)]),
    ],
)
def test_forms_of_numbers(text: str, read: list[float]) -> None:
    assert numbers(text) == read


def test_a_negative_zero_keeps_its_sign_unless_it_is_an_integer() -> None:
    assert np.signbit(numbers("-0.0,-0e0,-0") or []).tolist() == [True, True, False]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1,",
        ",1",
        "1,,2",
        "01",
        "-01",
        "1.",
        ".5",
        "+1",
        "-",
        "1e",
        "1e+",
        "1 2",
        "true",
        "1,true",
        "NaN",
        "Infinity",
        "null",
        "[1]",
        '"1"',
        "1x",
        "0x1",
        "1e39",
        "1e400",
        "-1e39",
        "1e-70",
        "1.000000059604644775390625",
    ],
)
def test_all_else_is_left_to_others(text: str) -> None:
    assert numbers(text) is None


@given(st.lists(st.floats(width=32), min_size=1, max_size=20))
def test_base64_gives_the_bytes(values: list[float]) -> None:
    packed = np.array(values, "<f4")
    body = b"<" + base64.b64encode(packed.tobytes()) + b">"
    read = base64_in(body, 1, len(body) - 1)
    assert read is not None
    assert read.tobytes() == packed.tobytes()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AAAA",
        "AACAPw",
        "AACAPw=",
        "AACAPw===",
        "AACA=w==",
        "AAC!Pw==",
        "AACA Pw=",
        "=" * 4,
        "AACAPw==AACAPw==",
    ],
)
def test_what_is_no_base64_of_float32_is_left_to_others(text: str) -> None:
    assert base64_in(text.encode(), 0, len(text)) is None
