"""Strings in one array of bytes: no object for each string, and mapped from a file unchanged."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from unicodedata import is_normalized

import numpy as np
from numpy.typing import NDArray

from core.domain.values import caseless, compose

_LONE_SURROGATES = "surrogatepass"
"""JSON strings may contain lone surrogates, which UTF-8 cannot encode; they are preserved."""
_LAST_ASCII = 0x7F
_ROWS_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class StringColumn:
    """Strings in one array, each found by its offset.

    `content`: `(b,) uint8`, the UTF-8 of the strings one after the other. `offsets`: `(n + 1,)`
    unsigned; string `i` is `content[offsets[i]:offsets[i + 1]]`.
    """

    content: NDArray[np.uint8]
    offsets: NDArray[np.unsignedinteger]
    _content: memoryview = field(init=False, repr=False)
    _offsets: memoryview = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # A memoryview yields Python numbers and strings twice as fast as a numpy array.
        object.__setattr__(self, "_content", self.content.data)
        object.__setattr__(self, "_offsets", self.offsets.data)

    @classmethod
    def of(cls, strings: Iterable[str]) -> "StringColumn":
        encoded = [string.encode("utf-8", _LONE_SURROGATES) for string in strings]
        content = np.frombuffer(b"".join(encoded), np.uint8)
        return cls(content, _offsets(np.fromiter(map(len, encoded), np.int64, len(encoded))))

    @classmethod
    def concatenate(cls, pieces: Sequence["StringColumn"]) -> "StringColumn":
        lengths = [piece.lengths for piece in pieces]
        return cls(
            np.concatenate([piece.content for piece in pieces]), _offsets(np.concatenate(lengths))
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> str:
        """Return string `i`, which is not negative."""
        start, end = self._offsets[i], self._offsets[i + 1]
        return str(self._content[start:end], "utf-8", _LONE_SURROGATES)

    def __iter__(self) -> Iterator[str]:
        content = self.content.tobytes()
        for start, end in pairwise(self.offsets.tolist()):
            yield content[start:end].decode("utf-8", _LONE_SURROGATES)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The length of each string in bytes, `(n,) int64`."""
        return (self.offsets[1:] - self.offsets[:-1]).astype(np.int64)

    @property
    def memory_bytes(self) -> int:
        return self.content.nbytes + self.offsets.nbytes

    def places_containing(self, part: str) -> NDArray[np.intp]:
        """Return the places of the strings that contain `part`, ascending. O(b)."""
        wanted = part.encode("utf-8", _LONE_SURROGATES)
        if not wanted:
            return np.arange(len(self))
        # UTF-8 is self-synchronising, so a match of bytes is a match of characters.
        starts = np.flatnonzero(
            self.content[: max(0, len(self.content) - len(wanted) + 1)] == wanted[0]
        )
        for i, byte in enumerate(wanted[1:], start=1):
            starts = starts[self.content[starts + i] == byte]
        places = np.searchsorted(self.offsets, starts, side="right") - 1
        is_inside = starts + len(wanted) <= self.offsets[places + 1]
        return np.unique(places[is_inside])

    def compose(self) -> "StringColumn":
        """Apply `core.domain.values.compose` to each string; `self` if it changes none."""
        is_ascii = self.content.max(initial=0) <= _LAST_ASCII
        if is_ascii or all(is_normalized("NFC", text) for text in self):
            return self
        return StringColumn.of(map(compose, self))

    def caseless(self) -> "StringColumn":
        """Apply `core.domain.values.caseless` to each string."""
        if self.content.max(initial=0) > _LAST_ASCII:
            return StringColumn.of(map(caseless, self))
        return StringColumn(np.frombuffer(self.content.tobytes().lower(), np.uint8), self.offsets)

    def take(self, rows: NDArray[np.intp]) -> "StringColumn":
        """Copy the given strings, in the given order."""
        starts, lengths = self.offsets[:-1].astype(np.int64)[rows], self.lengths[rows]
        content = np.empty(int(lengths.sum()), np.uint8)
        end = 0
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            some = slice(first, first + _ROWS_AT_ONCE)
            places = _places(starts[some], lengths[some])
            content[end : end + len(places)] = self.content[places]
            end += len(places)
        return StringColumn(content, _offsets(lengths))


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.unsignedinteger]:
    ends = np.zeros(len(lengths) + 1, np.uint64)
    np.cumsum(lengths, out=ends[1:])
    return ends.astype(np.uint32) if ends[-1] <= np.iinfo(np.uint32).max else ends


def _places(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each byte of the strings with these starts and lengths."""
    ends = np.cumsum(lengths)
    shifts = starts - (ends - lengths)
    places: NDArray[np.int64] = np.repeat(shifts, lengths)
    places += np.arange(len(places))
    return places
