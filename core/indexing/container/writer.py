"""Writes a container file in one pass over its arrays."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from zlib import crc32

import numpy as np
import orjson
from numpy.typing import DTypeLike, NDArray

from core.indexing.container import layout
from core.indexing.container.durable import write_durably


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """An array that is never in memory as a whole; `parts` split it along the first axis."""

    dtype: DTypeLike
    shape: tuple[int, ...]
    parts: Iterable[NDArray[Any]]


def write_container(
    path: Path,
    kind: str,
    parameters: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any] | Blocks],
) -> int:
    """Write a container file durably, and return the checksum of all its bytes.

    `kind`: the type of the file's content. `parameters`: any JSON values.

    Raises:
        OSError: no room, or no permission; see `write_durably`.
        ValueError: an array of objects, or parts that do not add up to their array.
    """
    return write_durably(path, lambda file: _write(file, kind, parameters, arrays))


def _write(
    file: BinaryIO,
    kind: str,
    parameters: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any] | Blocks],
) -> int:
    body = _Body(file)
    body.write(layout.HEAD.pack(layout.MAGIC, layout.VERSION))
    described = [_describe(name, array, body) for name, array in arrays.items()]
    body.align(4)
    table = body.checksums() + orjson.dumps(
        {"kind": kind, "parameters": parameters, "arrays": described}
    )
    file.write(table)
    checksum = crc32(table)
    ends = layout.ENDS.pack(body.size + len(table) + layout.TAIL_BYTES, body.size, checksum)
    file.write(ends + layout.SEAL.pack(crc32(ends), layout.MAGIC))
    return checksum


def _describe(name: str, array: NDArray[Any] | Blocks, body: "_Body") -> dict[str, Any]:
    """Write an array to the body, and return its description."""
    dtype = np.dtype(array.dtype)
    if dtype.kind not in layout.KINDS_OF_DTYPE or not dtype.itemsize:
        raise ValueError(f"{name}: an array of {dtype} can't be kept in a file.")
    body.align(layout.ALIGNMENT)
    start = body.size
    for part in array.parts if isinstance(array, Blocks) else (array,):
        body.write(_bytes_of(part.astype(dtype, copy=False)))
    wanted = dtype.itemsize * int(np.prod(array.shape, dtype=np.int64))
    if body.size - start != wanted:
        raise ValueError(f"{name}: {body.size - start} bytes, where {wanted} make up the array.")
    return {"name": name, "dtype": dtype.str, "shape": array.shape, "offset": start}


def _bytes_of(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


class _Body:
    """The body of a file being written, with the checksums of its blocks."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._checksums: list[int] = []
        self._checksum = 0
        self.size = 0

    def write(self, content: bytes | memoryview) -> None:
        rest = memoryview(content)
        while rest:
            part = rest[: layout.BLOCK_BYTES - self.size % layout.BLOCK_BYTES]
            self._file.write(part)
            self._checksum = crc32(part, self._checksum)
            self.size += len(part)
            rest = rest[len(part) :]
            if self.size % layout.BLOCK_BYTES == 0:
                self._end_block()

    def align(self, multiple: int) -> None:
        self.write(bytes(-self.size % multiple))

    def checksums(self) -> bytes:
        """Return the checksums of all blocks; nothing may be written to the body afterwards."""
        if self.size % layout.BLOCK_BYTES:
            self._end_block()
        return np.array(self._checksums, layout.CHECKSUM).tobytes()

    def _end_block(self) -> None:
        self._checksums.append(self._checksum)
        self._checksum = 0
