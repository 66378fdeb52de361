"""Bulk conversion between arrays and roaring bitmaps.

`BitMap(array)` takes 20 to 40 ns a row; writing the serialised form and deserialising it takes 1
ns. The format: https://github.com/RoaringBitmap/RoaringFormatSpec
"""

import struct
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

Rows: TypeAlias = NDArray[np.uint32]
"""Row numbers within one segment, `(m,) uint32`."""

_CONTAINER = 2**16
_LONGEST_ARRAY = 2**12
"""A container with more rows than this is a bitset."""
_NO_RUNS, _WITH_RUNS = 12346, 12347
_NO_OFFSETS_BELOW = 4
_FEW = 64
_SCATTER_ABOVE = 1 / 16


def full(size: int) -> BitMap:
    return BitMap(range(size))


def from_rows(rows: Rows, size: int, *, ascending: bool = False) -> BitMap:
    """Return the bitmap of distinct rows below `size`."""
    if len(rows) <= _FEW:
        return BitMap(rows.tolist())
    if len(rows) > _SCATTER_ABOVE * size:
        mask = np.zeros(size, np.bool_)
        mask[rows.astype(np.intp)] = True  # numpy's own conversion is slower
        return from_mask(mask)
    return _from_ascending(rows if ascending else np.sort(rows))


def from_mask(mask: NDArray[np.bool_]) -> BitMap:
    """Return the bitmap of the rows where the mask is true."""
    keys, counts, containers = [], [], []
    for key, start in enumerate(range(0, len(mask), _CONTAINER)):
        part = mask[start : start + _CONTAINER]
        count = int(np.count_nonzero(part))
        if count:
            keys.append(key)
            counts.append(count)
            containers.append(_container(part, count))
    return _deserialise(keys, counts, containers)


def _container(mask: NDArray[np.bool_], count: int) -> bytes:
    if count <= _LONGEST_ARRAY:
        return np.flatnonzero(mask).astype("<u2").tobytes()
    return np.packbits(mask, bitorder="little").tobytes().ljust(_CONTAINER // 8, b"\0")


def _from_ascending(rows: Rows) -> BitMap:
    keys, counts, containers = [], [], []
    ends = np.arange(_CONTAINER, int(rows[-1]) + _CONTAINER + 1, _CONTAINER)
    start = 0
    for key, end in enumerate(np.searchsorted(rows, ends).tolist()):
        if end > start:
            keys.append(key)
            counts.append(end - start)
            containers.append(_container_from_rows(rows[start:end].astype("<u2")))
        start = end
    return _deserialise(keys, counts, containers)


def _container_from_rows(low: NDArray[np.uint16]) -> bytes:
    if len(low) <= _LONGEST_ARRAY:
        return low.tobytes()
    mask = np.zeros(_CONTAINER, np.bool_)
    mask[low] = True
    return _container(mask, len(low))


def _deserialise(keys: list[int], counts: list[int], containers: list[bytes]) -> BitMap:
    header = struct.pack("<II", _NO_RUNS, len(keys))
    for key, count in zip(keys, counts, strict=True):
        header += struct.pack("<HH", key, count - 1)
    place = len(header) + 4 * len(keys)
    for container in containers:
        header += struct.pack("<I", place)
        place += len(container)
    bitmap: BitMap = BitMap.deserialize(header + b"".join(containers))
    return bitmap


def to_rows(bitmap: BitMap) -> Rows:
    """Return the bitmap's rows, ascending."""
    return np.frombuffer(bitmap.to_array(), np.uint32)


def to_mask(bitmap: BitMap, size: int) -> NDArray[np.bool_]:
    """Return `(size,) bool`, true at the bitmap's rows, which are all below `size`."""
    if len(bitmap) == size:
        return np.ones(size, np.bool_)
    mask = np.zeros(size, np.bool_)
    if len(bitmap) <= _LONGEST_ARRAY:
        mask[to_rows(bitmap)] = True
        return mask
    serialised = bitmap.serialize()
    for key, count, place, is_run in _containers(serialised):
        part = mask[key * _CONTAINER : (key + 1) * _CONTAINER]
        if is_run:
            _fill_runs(part, serialised, place)
        elif count <= _LONGEST_ARRAY:
            part[np.frombuffer(serialised, "<u2", count, place)] = True
        else:
            bits = np.frombuffer(serialised, np.uint8, _CONTAINER // 8, place)
            part[:] = np.unpackbits(bits, count=len(part), bitorder="little")
    return mask


def _containers(serialised: bytes) -> Iterator[tuple[int, int, int, bool]]:
    """Yield each container's key, row count, place in the bytes, and whether it stores runs."""
    (cookie,) = struct.unpack_from("<I", serialised)
    if cookie == _NO_RUNS:
        (size,) = struct.unpack_from("<I", serialised, 4)
        run_bits, place = b"", 8
    else:
        size = (cookie >> 16) + 1
        run_bits = serialised[4 : 4 + (size + 7) // 8]
        place = 4 + len(run_bits)
    described = struct.unpack_from(f"<{2 * size}H", serialised, place)
    place += 4 * size
    if cookie == _NO_RUNS or size >= _NO_OFFSETS_BELOW:
        place += 4 * size
    for i in range(size):
        key, count = described[2 * i], described[2 * i + 1] + 1
        is_run = bool(run_bits) and bool(run_bits[i // 8] >> (i % 8) & 1)
        yield key, count, place, is_run
        if is_run:
            place += 2 + 4 * struct.unpack_from("<H", serialised, place)[0]
        else:
            place += 2 * count if count <= _LONGEST_ARRAY else _CONTAINER // 8


def _fill_runs(part: NDArray[np.bool_], serialised: bytes, place: int) -> None:
    (runs,) = struct.unpack_from("<H", serialised, place)
    pairs = np.frombuffer(serialised, "<u2", 2 * runs, place + 2).reshape(runs, 2)
    for start, further in pairs.tolist():
        part[start : start + further + 1] = True
