"""A file of named arrays and parameters, mapped into memory and checked.

Opening a file costs as much as its table, whatever the file's size: the arrays are views of the
mapped file, whose pages are read on use. `open_container` checks the table's checksum;
`Container.verify` checks those of the arrays by reading all of them.
"""

import errno
import math
import mmap
import os
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from zlib import crc32

import numpy as np
import orjson
from numpy.typing import NDArray

from core.indexing.container import layout

_IS_DAMAGE = frozenset({errno.ENOENT, errno.EIO, errno.EISDIR})
"""The errors that mean a damaged file; others, such as too many open files, are the system's."""


class DamagedFile(Exception):
    """A file that cannot be used: damaged, missing, or of another program or version."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path.name}: {problem}")
        self.path = path
        self.problem = problem


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """An open container file.

    `arrays`: read-only, each at a multiple of 64 bytes; the file stays mapped while one of them is
    referred to. `checksum`: of the whole file, as `write_container` returned it.
    """

    path: Path
    parameters: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]
    checksum: int
    size_bytes: int
    _body_bytes: int
    _checksums: NDArray[np.uint32]

    def verify(self, pool: Executor) -> None:
        """Read the file and check its checksums, one task of the pool for each MiB.

        A thread of that pool must not call it.

        Raises:
            DamagedFile: a block differs from what was written, or cannot be read.
            OSError: the file cannot be opened.
        """
        with _open(self.path) as file:

            def is_whole(block: int) -> bool:
                start = block * layout.BLOCK_BYTES
                size = min(layout.BLOCK_BYTES, self._body_bytes - start)
                try:
                    # Read instead of mapped, so that a bad sector is an error and not a signal.
                    content = os.pread(file.fileno(), size, start)
                except OSError:
                    return False
                return crc32(content) == int(self._checksums[block])

            whole = list(pool.map(is_whole, range(len(self._checksums))))
        if not all(whole):
            raise DamagedFile(self.path, self._damage(whole.index(False)))

    def _damage(self, block: int) -> str:
        start = block * layout.BLOCK_BYTES
        end = min(start + layout.BLOCK_BYTES, self._body_bytes)
        return f"Its bytes {start} to {end - 1} are not as they were written."


def open_container(path: Path, kind: str) -> Container:
    """Map a file and check its table.

    Raises:
        DamagedFile: the file is missing, its table is damaged, or its kind or version differs.
        OSError: the file cannot be opened.
    """
    with _open(path) as file:
        try:
            return _Reader(path, file).read(kind)
        except OSError as error:
            raise container_error(error, path) from error


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise container_error(error, path) from error


def container_error(error: OSError, path: Path) -> Exception:
    """Return the exception to raise for an error of reading the file."""
    if error.errno in _IS_DAMAGE:
        return DamagedFile(path, f"It can't be read: {error.strerror}.")
    return error


class _Reader:
    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._size = os.fstat(file.fileno()).st_size

    def read(self, kind: str) -> Container:
        body, checksum = self._read_ends()
        table = self._read(body, self._size - layout.TAIL_BYTES - body)
        if crc32(table) != checksum:
            raise self._damaged_file("Its table differs from what was written.")
        blocks = layout.blocks_of(body)
        try:
            described = orjson.loads(table[blocks * layout.CHECKSUM.itemsize :])
            stored_kind, parameters = described["kind"], described["parameters"]
            arrays = self._map_arrays(described["arrays"], body)
            checksums = np.frombuffer(table, layout.CHECKSUM, blocks)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise self._damaged_file("Its table is not valid.") from error
        if stored_kind != kind:
            raise self._damaged_file(f"Its kind is {stored_kind!r}, not {kind!r}.")
        return Container(
            path=self._path,
            parameters=parameters,
            arrays=arrays,
            checksum=checksum,
            size_bytes=self._size,
            _body_bytes=body,
            _checksums=checksums,
        )

    def _read_ends(self) -> tuple[int, int]:
        """Check head and tail, and return the body's size and the table's checksum."""
        head = self._read(0, layout.HEAD.size)
        if head[: len(layout.MAGIC)] != layout.MAGIC:
            raise self._damaged_file("It is not a Nalanda file, or its first bytes are damaged.")
        _, version = layout.HEAD.unpack(head)
        if version != layout.VERSION:
            raise self._damaged_file(
                f"Its format is {version}, and this program reads {layout.VERSION}."
            )
        tail = self._read(self._size - layout.TAIL_BYTES, layout.TAIL_BYTES)
        ends, seal = tail[: layout.ENDS.size], tail[layout.ENDS.size :]
        if seal != layout.SEAL.pack(crc32(ends), layout.MAGIC):
            raise self._damaged_file("Its last bytes are missing or damaged.")
        size, body, checksum = layout.ENDS.unpack(ends)
        if size != self._size:
            raise self._damaged_file(f"It has {self._size} bytes, and {size} were written.")
        if not layout.HEAD.size <= body <= size - layout.TAIL_BYTES:
            raise self._damaged_file("Its last bytes are not valid.")
        return body, checksum

    def _read(self, start: int, size: int) -> bytes:
        content = os.pread(self._file.fileno(), size, start) if start >= 0 else b""
        if len(content) != size:
            raise self._damaged_file("It is truncated.")
        return content

    def _map_arrays(self, described: list[dict[str, Any]], body: int) -> dict[str, NDArray[Any]]:
        """Map the arrays that the table describes.

        Raises:
            ValueError, TypeError, KeyError, OverflowError: the description is not valid.
        """
        mapping = mmap.mmap(self._file.fileno(), self._size, access=mmap.ACCESS_READ)
        arrays: dict[str, NDArray[Any]] = {}
        for array in described:
            dtype, shape, offset = np.dtype(array["dtype"]), array["shape"], array["offset"]
            # numpy accepts some invalid descriptions, and then reads beyond the buffer.
            is_sound = (
                dtype.str == array["dtype"]
                and dtype.kind in layout.KINDS_OF_DTYPE
                and offset >= layout.HEAD.size
                and offset % layout.ALIGNMENT == 0
                and min(shape, default=0) >= 0
                and offset + dtype.itemsize * math.prod(shape) <= body
            )
            if not is_sound:
                raise ValueError(array)
            arrays[array["name"]] = np.ndarray(shape, dtype, mapping, offset)
        return arrays

    def _damaged_file(self, problem: str) -> DamagedFile:
        return DamagedFile(self._path, problem)
