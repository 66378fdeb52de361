"""Conversion between quantised vectors, with their graph or inverted lists, and named arrays.

Names are those of `kernels.layout` and `kernels.inverted_layout`. Kernels get addresses and do not
check bounds, so the sizes are checked here.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.indexing.kernels import inverted_layout as lists
from core.indexing.kernels import layout
from core.indexing.kernels.dot_cells import CELLS_AT_ONCE, NUMBERS_AT_ONCE
from core.indexing.kernels.fastscan import (
    BLOCK_ROWS,
    CHUNK_BYTES,
    POINT_COUNT,
    ROW_STRIDE,
    TABLES_AT_ONCE,
)
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.quantized import QuantizedVectors, empty_aligned, unquantized

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
Numbers: TypeAlias = Mapping[str, int]

_SCALE: Final = "scale"
_ARRAYS: Final = {
    "codes": layout.CODES,
    "residuals": layout.RESIDUALS,
    "reaches": layout.REACHES,
    "halves": layout.HALVES,
    "bias": layout.BIAS,
    "links": layout.LINKS,
    "upper_links": layout.UPPER_LINKS,
    "upper_places": layout.UPPER_PLACES,
    "scales": lists.SCALES,
    "center": lists.CENTER,
    "basis": lists.BASIS,
    "cell_codes": lists.CELL_CODES,
    "cell_halves": lists.CELL_HALVES,
    "widths": lists.WIDTHS,
    "points": lists.POINTS,
    "starts": lists.STARTS,
    "list_codes": lists.LIST_CODES,
    "list_rows": lists.LIST_ROWS,
    "list_biases": lists.LIST_BIASES,
}
_NUMBERS: Final = {
    "count": layout.COUNT,
    "metric": layout.METRIC,
    "dimension": layout.DIMENSION,
    "code_bytes": layout.CODE_BYTES,
    "degree_0": layout.DEGREE_0,
    "degree": layout.DEGREE,
    "entry": layout.ENTRY,
    "top_level": layout.TOP_LEVEL,
    "kept": lists.COMPONENTS,
    "cells": lists.CELLS,
    "tables": lists.TABLES,
}
_OF_VECTORS: Final = ("count", "metric", "dimension")
_ROW_STRIDE: Final = "row_stride"
"""The row stride of list codes, which depends on the code path of the process that built them."""


def arrays_of(quantized: QuantizedVectors) -> dict[str, NDArray[Any]]:
    """Return all arrays except the vectors and those that only a build needs."""
    arrays = {name: quantized.arrays[at] for name, at in _ARRAYS.items() if at in quantized.arrays}
    return {_SCALE: quantized.scale, **arrays}


def numbers_of(quantized: QuantizedVectors) -> dict[str, int]:
    block = quantized.block
    numbers = {name: int(block[at]) for name, at in _NUMBERS.items() if at < len(block)}
    return numbers | {_ROW_STRIDE: ROW_STRIDE}


def restore_quantized(vectors: Vectors, numbers: Numbers, arrays: Arrays) -> QuantizedVectors:
    """Restore quantised vectors from a result of `arrays_of` and `numbers_of`.

    No array is copied, except list codes that a process with another code path has built.

    Raises:
        ValueError, KeyError: the arrays and numbers do not belong to these vectors.
    """
    quantized = unquantized(vectors, lists.SIZE if "cells" in numbers else layout.SIZE)
    for name in _OF_VECTORS:
        if quantized.block[_NUMBERS[name]] != numbers[name]:
            raise ValueError(f"It is of vectors whose {name} is {numbers[name]}.")
    for name in _NUMBERS.keys() & numbers.keys():
        quantized.block[_NUMBERS[name]] = numbers[name]
    quantized.scale[:] = arrays[_SCALE]
    for name, (dtype, shape) in _expected_arrays(quantized.block, arrays).items():
        array = arrays[name]
        if array.dtype != dtype or array.shape != shape:
            raise ValueError(f"{name} is {array.dtype}{array.shape}, not {dtype}{shape}.")
        if name == "list_codes" and numbers[_ROW_STRIDE] != ROW_STRIDE:
            array = _transpose(array, numbers[_ROW_STRIDE])
        quantized.attach(_ARRAYS[name], array)
    return quantized


_Expected: TypeAlias = dict[str, tuple[str, tuple[int, ...]]]


def _expected_arrays(block: NDArray[np.int64], arrays: Arrays) -> _Expected:
    """Return the dtype and shape of each required array."""
    expected: _Expected = {}
    if block[layout.CODE_BYTES]:
        expected |= _of_codes(block)
    if block[layout.DEGREE]:
        expected |= _of_graph(block, len(arrays["upper_links"]))
    if len(block) == lists.SIZE:
        expected |= _of_lists(block, len(arrays["list_rows"]))
    return expected


def _of_codes(block: NDArray[np.int64]) -> _Expected:
    count, size = _numbers(block, layout.COUNT, layout.CODE_BYTES)
    expected: _Expected = {
        "codes": ("u1", (count, size)),
        "residuals": ("f4", (count,)),
        "reaches": ("f4", (count,)),
    }
    if block[layout.METRIC] == layout.L2:
        expected |= {"halves": ("f8", (count,)), "bias": ("i4", (count,))}
    return expected


def _of_graph(block: NDArray[np.int64], upper: int) -> _Expected:
    count, degree = _numbers(block, layout.COUNT, layout.DEGREE)
    return {
        "links": ("i4", (count, 2 * degree)),
        "upper_links": ("i4", (upper, degree)),
        "upper_places": ("i4", (count,)),
    }


def _of_lists(block: NDArray[np.int64], blocks: int) -> _Expected:
    components, dimension = _numbers(block, lists.COMPONENTS, layout.DIMENSION)
    cells, tables = _numbers(block, lists.CELLS, lists.TABLES)
    groups = -(-cells // CELLS_AT_ONCE)
    return {
        "scales": ("f8", (lists.SCALE_COUNT,)),
        "center": ("f4", (dimension,)),
        "basis": ("f4", (components, dimension)),
        "cell_codes": (
            "u1",
            (groups, components // NUMBERS_AT_ONCE, CELLS_AT_ONCE, NUMBERS_AT_ONCE),
        ),
        "cell_halves": ("f4", (cells,)),
        "widths": ("i8", (tables + 1,)),
        "points": ("f4", (components, POINT_COUNT)),
        "starts": ("i8", (cells + 1,)),
        "list_codes": ("u1", (blocks, tables // TABLES_AT_ONCE, CHUNK_BYTES)),
        "list_rows": ("i4", (blocks, BLOCK_ROWS)),
        "list_biases": ("f4", (blocks, BLOCK_ROWS)),
    }


def _numbers(block: NDArray[np.int64], *places: int) -> list[int]:
    return [int(block[place]) for place in places]


def _transpose(codes: NDArray[Any], row_stride: int) -> NDArray[Any]:
    """Convert list codes from one code path's layout to the other's."""
    rows = CHUNK_BYTES // TABLES_AT_ONCE
    side = (rows, TABLES_AT_ONCE) if row_stride > 1 else (TABLES_AT_ONCE, rows)
    out = empty_aligned(codes.shape, np.uint8)
    out.reshape(*codes.shape[:2], *side[::-1])[:] = codes.reshape(*codes.shape[:2], *side).swapaxes(
        2, 3
    )
    return out
