"""Embeddings in the text of a request: a JSON list of numbers, or base64, read into arrays.

A number is digits times a power of ten. Their product has an error of a few units in the last place
of a float64, so the nearest float32 is certain unless a number is that near to the middle between
two: one in some ten million, which the caller has to read in another way.
"""

import numpy as np
from numpy.typing import NDArray

from core.indexing.kernels.jit import kernel
from core.indexing.kernels.typing import Bytes, Floats

_MOST_DIGITS = 10**17
"""Digits are read exactly below this; further ones only shift the power of ten."""
_MAX_POWER = 60
_MAX_EXPONENT = 9_999
_POWERS: NDArray[np.float64] = np.array([float(f"1e{n}") for n in range(_MAX_POWER + 1)])
_UNCERTAINTY = 2.0**-50
_GREATEST = 3.4e38

_NINE, _ZERO, _PLUS, _COMMA, _MINUS, _DOT, _E = 57, 48, 43, 44, 45, 46, 101
_CASE = 32
_SPACE, _TAB, _LINE_FEED, _RETURN = 32, 9, 10, 13

_INVALID, _PADDING = 255, 61
_SEXTETS: NDArray[np.int64] = np.full(256, _INVALID)
_SEXTETS[
    np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)
] = np.arange(64)


@kernel
def read_numbers(text: Bytes, numbers: Floats) -> int:
    """Read the inside of a JSON list of numbers, each rounded to the nearest float32.

    Returns their count; -1 if the text is not such a list, has more numbers than there is room for,
    or has one that is not finite or whose rounding is not certain.
    """
    end, at, count = len(text), 0, 0
    while True:
        at = skip_spaces(text, at)
        is_negative = at < end and text[at] == _MINUS
        at += is_negative
        first, digits, exponent, is_integer = at, 0, 0, True
        while at < end and is_digit(text[at]):
            if digits < _MOST_DIGITS:
                digits = digits * 10 + (text[at] - _ZERO)
            else:
                exponent += 1
            at += 1
        if at == first or (at > first + 1 and text[first] == _ZERO):
            return -1
        if at < end and text[at] == _DOT:
            at, first, is_integer = at + 1, at + 1, False
            while at < end and is_digit(text[at]):
                if digits < _MOST_DIGITS:
                    digits = digits * 10 + (text[at] - _ZERO)
                    exponent -= 1
                at += 1
            if at == first:
                return -1
        if at < end and text[at] | _CASE == _E:
            at, is_integer = at + 1, False
            is_small = at < end and text[at] == _MINUS
            at += is_small or (at < end and text[at] == _PLUS)
            first, written = at, 0
            while at < end and is_digit(text[at]):
                written = min(written * 10 + (text[at] - _ZERO), _MAX_EXPONENT)
                at += 1
            if at == first:
                return -1
            exponent += -written if is_small else written
        if digits and not -_MAX_POWER <= exponent <= _MAX_POWER:
            return -1
        number = float(digits)
        if digits:
            number = number * _POWERS[exponent] if exponent >= 0 else number / _POWERS[-exponent]
        if number > _GREATEST or not is_certain(number) or count == len(numbers):
            return -1
        # JSON's integer -0 is 0; the number -0.0 keeps its sign.
        numbers[count] = -number if is_negative and (digits or not is_integer) else number
        count += 1
        at = skip_spaces(text, at)
        if at == end:
            return count
        if text[at] != _COMMA:
            return -1
        at += 1


@kernel
def skip_spaces(text: Bytes, at: int) -> int:
    while at < len(text) and (
        text[at] == _SPACE or text[at] == _LINE_FEED or text[at] == _RETURN or text[at] == _TAB
    ):
        at += 1
    return at


@kernel
def is_digit(byte: int) -> bool:
    return _ZERO <= byte <= _NINE


@kernel
def is_certain(number: float) -> bool:
    """Return whether all float64 near a number are nearest to the same float32."""
    low, high = number * (1 - _UNCERTAINTY), number * (1 + _UNCERTAINTY)
    return bool(np.float32(low) == np.float32(high))


@kernel
def read_base64(text: Bytes, decoded: Bytes) -> int:
    """Decode base64 (RFC 4648 §4), and return the number of bytes; -1 if it is none.

    `decoded` has room for three bytes for each four of the text.
    """
    end = len(text)
    if end == 0 or end % 4:
        return -1
    padding = 0
    while padding < 2 and text[end - 1 - padding] == _PADDING:
        padding += 1
    size = 0
    wrong = 0
    for at in range(0, end - 4 if padding else end, 4):
        a, b = _SEXTETS[text[at]], _SEXTETS[text[at + 1]]
        c, d = _SEXTETS[text[at + 2]], _SEXTETS[text[at + 3]]
        wrong |= a | b | c | d
        decoded[size] = a << 2 | b >> 4
        decoded[size + 1] = b << 4 | c >> 2
        decoded[size + 2] = c << 6 | d
        size += 3
    if padding:
        a, b = _SEXTETS[text[end - 4]], _SEXTETS[text[end - 3]]
        wrong |= a | b
        decoded[size] = a << 2 | b >> 4
        size += 1
        if padding == 1:
            c = _SEXTETS[text[end - 2]]
            wrong |= c
            decoded[size] = b << 4 | c >> 2
            size += 1
    return -1 if wrong == _INVALID else size
