"""Container files are read as they were written, and damaged ones are refused."""

import gc
import os
import struct
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from core.indexing.container import layout
from core.indexing.container.container import Container, DamagedFile, open_container
from core.indexing.container.writer import Blocks, write_container

dtypes = st.one_of(
    npst.boolean_dtypes(),
    npst.integer_dtypes(endianness="?"),
    npst.floating_dtypes(endianness="?"),
    npst.complex_number_dtypes(),
    npst.datetime64_dtypes(),
    npst.byte_string_dtypes(min_len=1),
    npst.unicode_string_dtypes(min_len=1),
)
some_arrays = npst.arrays(dtypes, npst.array_shapes(min_dims=0, max_dims=3, min_side=0))
parameters = st.dictionaries(
    st.text(max_size=8), st.none() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text()
)


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("containers")


def open_verified(path: Path, pool: Executor) -> Container:
    container = open_container(path, "k")
    container.verify(pool)
    return container


@settings(max_examples=100)
@given(arrays=st.dictionaries(st.text(max_size=8), some_arrays, max_size=5), parameters=parameters)
def test_what_is_written_is_read(
    directory: Path, pool: Executor, arrays: dict[str, NDArray[Any]], parameters: dict[str, Any]
) -> None:
    path = directory / "any"
    checksum = write_container(path, "k", parameters, arrays)
    container = open_verified(path, pool)
    assert container.checksum == checksum
    assert container.parameters == parameters
    assert container.size_bytes == path.stat().st_size
    assert list(container.arrays) == list(arrays)
    for name, array in arrays.items():
        stored = container.arrays[name]
        assert stored.dtype == array.dtype
        assert stored.shape == array.shape
        assert stored.tobytes() == array.tobytes()
        assert stored.ctypes.data % layout.ALIGNMENT == 0
        assert not stored.flags.writeable


def test_arrays_of_several_blocks_in_any_order(tmp_path: Path, pool: Executor) -> None:
    rows = np.random.default_rng(0).random((200_000, 3))
    parts = (rows[start : start + 1_000] for start in range(0, len(rows), 1_000))
    blocks = Blocks(np.float32, rows.shape, (part.astype(np.float32) for part in parts))
    arrays: dict[str, NDArray[Any] | Blocks] = {
        "by_column": np.asfortranarray(rows),
        "some": rows[::7],
        "blocks": blocks,
    }
    write_container(tmp_path / "a", "k", {}, arrays)
    stored = open_verified(tmp_path / "a", pool).arrays
    np.testing.assert_array_equal(stored["by_column"], rows)
    np.testing.assert_array_equal(stored["some"], rows[::7])
    np.testing.assert_array_equal(stored["blocks"], rows.astype(np.float32))


def test_what_is_equal_has_the_same_checksum_and_what_differs_has_not(tmp_path: Path) -> None:
    sums = [
        write_container(tmp_path / "a", "k", {}, {"x": np.arange(size)}) for size in (5, 5, 6, 0)
    ]
    assert sums[0] == sums[1]
    assert len(set(sums)) == 3


@pytest.mark.parametrize(
    "array",
    [
        np.array([None]),
        np.zeros(3, [("a", "f4")]),
        np.zeros(3, "S0"),
        Blocks(np.int8, (3,), [np.zeros(2, np.int8)]),
    ],
)
def test_what_no_file_can_hold(tmp_path: Path, array: NDArray[Any] | Blocks) -> None:
    if isinstance(array, np.ndarray) and array.dtype.kind == "S":
        array = np.ndarray((3,), np.dtype("S0"))
    with pytest.raises(ValueError, match="x: "):
        write_container(tmp_path / "a", "k", {}, {"x": array})
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def healthy(directory: Path) -> bytes:
    """Write a file of three blocks with gaps between arrays."""
    path = directory / "healthy"
    rng = np.random.default_rng(1)
    arrays = {
        "a": rng.random(3),
        "b": rng.integers(0, 255, 2_500_001, np.uint8),
        "c": rng.random(9),
    }
    write_container(path, "k", {"p": 1}, arrays)
    return path.read_bytes()


def is_found(path: Path, content: bytes, pool: Executor) -> bool:
    path.write_bytes(content)
    try:
        open_verified(path, pool)
    except DamagedFile as error:
        return path.name in str(error)
    return False


def regions(size: int) -> st.SearchStrategy[int]:
    """Draw places in a file, its ends and small structures as often as the rest."""
    return st.one_of(
        st.integers(0, 200), st.integers(size - 600, size - 1), st.integers(0, size - 1)
    )


@settings(max_examples=400, suppress_health_check=[HealthCheck.data_too_large])
@given(of=st.data())
def test_each_flipped_bit_is_found(
    directory: Path, healthy: bytes, pool: Executor, of: st.DataObject
) -> None:
    content = bytearray(healthy)
    place = of.draw(regions(len(healthy)))
    content[place] ^= 1 << of.draw(st.integers(0, 7))
    assert is_found(directory / "flipped", bytes(content), pool)


@settings(max_examples=200)
@given(of=st.data())
def test_each_truncation_is_found(
    directory: Path, healthy: bytes, pool: Executor, of: st.DataObject
) -> None:
    assert is_found(directory / "cut", healthy[: of.draw(regions(len(healthy)))], pool)


@settings(max_examples=200)
@given(of=st.data(), length=st.integers(1, 5_000), by=st.sampled_from([b"\0", b"\xff", b"x"]))
def test_each_overwritten_stretch_is_found(
    directory: Path, healthy: bytes, pool: Executor, of: st.DataObject, length: int, by: bytes
) -> None:
    start = of.draw(regions(len(healthy)))
    content = healthy[:start] + by * min(length, len(healthy) - start) + healthy[start + length :]
    assert content == healthy or is_found(directory / "overwritten", content, pool)


@settings(max_examples=200)
@given(content=st.binary(max_size=300))
def test_no_other_bytes_are_a_container(directory: Path, pool: Executor, content: bytes) -> None:
    assert is_found(directory / "foreign", content, pool)
    assert is_found(directory / "foreign", layout.MAGIC + content, pool)


def test_appended_bytes_are_found(tmp_path: Path, healthy: bytes, pool: Executor) -> None:
    for more in (b"\0", b"x" * 5_000, healthy):
        assert is_found(tmp_path / "longer", healthy + more, pool)


def test_other_versions_kinds_and_files_are_distinguished(tmp_path: Path, healthy: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(healthy)
    with pytest.raises(DamagedFile, match="Its kind is 'k', not 'other'"):
        open_container(path, "other")
    path.write_bytes(layout.HEAD.pack(layout.MAGIC, 2) + healthy[64:])
    with pytest.raises(DamagedFile, match="Its format is 2"):
        open_container(path, "k")
    path.write_bytes(b"SQLite format 3\0" * 100)
    with pytest.raises(DamagedFile, match="not a Nalanda file"):
        open_container(path, "k")
    for gone in (tmp_path / "gone", tmp_path):
        with pytest.raises(DamagedFile, match="can't be read"):
            open_container(gone, "k")
    with pytest.raises(OSError, match="Not a directory"):
        open_container(path / "within", "k")


def sealed(table: bytes, body: bytes) -> bytes:
    """Return a file with correct checksums around any table."""
    ends = layout.ENDS.pack(len(body) + len(table) + layout.TAIL_BYTES, len(body), crc32(table))
    return body + table + ends + layout.SEAL.pack(crc32(ends), layout.MAGIC)


def described(**changes: Any) -> bytes:
    array = {"name": "x", "dtype": "<f8", "shape": [2], "offset": 64, **changes}
    return orjson.dumps({"kind": "k", "parameters": {}, "arrays": [array]})


@pytest.mark.parametrize(
    "json",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        described(dtype="|O"),
        described(dtype="f8,f8"),
        described(dtype="nonsense"),
        described(dtype=None),
        described(shape=[-1]),
        described(shape=[3]),
        described(shape=[1 << 62, 1 << 62]),
        described(shape=["2"]),
        described(shape=None),
        described(shape=[1] * 100),
        described(offset=65),
        described(offset=-64),
        described(offset=1 << 62),
        described(offset=128),
        described(offset="64"),
        described(name=[]),
    ],
)
def test_a_table_that_makes_no_sense_is_found(tmp_path: Path, json: bytes, pool: Executor) -> None:
    body = layout.HEAD.pack(layout.MAGIC, layout.VERSION) + bytes(16)
    checksums = struct.pack("<I", crc32(body))
    assert not is_found(tmp_path / "a", sealed(checksums + described(), body), pool)
    assert is_found(tmp_path / "a", sealed(checksums + json, body), pool)


def test_lengths_that_make_no_sense_are_found(tmp_path: Path, pool: Executor) -> None:
    head = layout.HEAD.pack(layout.MAGIC, layout.VERSION)
    size = len(head) + layout.TAIL_BYTES
    for body in (0, 63, size, 1 << 63):
        ends = layout.ENDS.pack(size, body, 0)
        content = head + ends + layout.SEAL.pack(crc32(ends), layout.MAGIC)
        assert is_found(tmp_path / "a", content, pool)


def test_the_damage_is_named(tmp_path: Path, healthy: bytes, pool: Executor) -> None:
    path = tmp_path / "segment-1"
    path.write_bytes(healthy[:1_500_000] + b"12345678" + healthy[1_500_008:])
    container = open_container(path, "k")
    with pytest.raises(DamagedFile, match=r"^segment-1: Its bytes 1048576 to 2097151") as raised:
        container.verify(pool)
    assert raised.value.path == path
    os.truncate(path, 100)  # the container is already open
    with pytest.raises(DamagedFile, match="bytes 0 to"):
        container.verify(pool)
    path.unlink()
    with pytest.raises(DamagedFile, match="No such file"):
        container.verify(pool)


def descriptors_of(path: Path) -> int:
    """Count this process's open descriptors of one file."""
    return sum(link.resolve() == path for link in Path("/proc/self/fd").iterdir())


def test_a_file_is_let_go_with_its_last_array(tmp_path: Path, healthy: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(healthy)
    for _ in range(50):
        array = open_container(path, "k").arrays["a"][1:]
    assert array.sum() > 0
    gc.collect()
    assert descriptors_of(path) == 1
    del array
    gc.collect()
    assert descriptors_of(path) == 0
