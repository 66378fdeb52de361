"""The ruling lines of a page: what is drawn along its edges, as the lines of a table are."""

from collections.abc import Iterator
from ctypes import c_float, c_int
from typing import TypeAlias

from pypdfium2 import PdfPage, raw

Edges: TypeAlias = tuple[float, float, float, float]
"""The left, bottom, right and top edge in the page's own coordinates."""

_MOST_OBJECTS = 20_000
_MOST_POINTS = 20_000
"""Bounds from which on a page has a drawing, in which no table is looked for."""
_SHORTEST = 4.0
_STRAIGHT = 1.0
"""Points by which a ruling line may differ from a horizontal or vertical one."""

_Point: TypeAlias = tuple[float, float]


def read_rules(page: PdfPage) -> list[Edges]:
    """Return the lines that are horizontal or vertical, each without a height or a width."""
    if raw.FPDFPage_CountObjects(page) > _MOST_OBJECTS:
        return []
    rules: list[Edges] = []
    points = 0
    for shape in page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=1):
        count = raw.FPDFPath_CountSegments(shape)
        points += max(count, 0)
        if points > _MOST_POINTS:
            return []
        if _is_drawn(shape):
            rules.extend(edges for line in _lines(shape, count) for edges in _straight(*line))
    return rules


def _is_drawn(shape: raw.FPDF_PAGEOBJECT) -> bool:
    fill, stroke = c_int(), c_int()
    raw.FPDFPath_GetDrawMode(shape, fill, stroke)
    return bool(fill.value or stroke.value)


def _lines(shape: raw.FPDF_PAGEOBJECT, count: int) -> Iterator[tuple[_Point, _Point]]:
    """Yield the straight lines of a path, on the page."""
    matrix = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(shape, matrix):
        return
    x, y = c_float(), c_float()
    start = last = (0.0, 0.0)
    for index in range(count):
        segment = raw.FPDFPath_GetPathSegment(shape, index)
        if not segment or not raw.FPDFPathSegment_GetPoint(segment, x, y):
            return
        point = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            start = point
        elif kind == raw.FPDF_SEGMENT_LINETO:
            yield last, point
        if raw.FPDFPathSegment_GetClose(segment):
            yield point, start
        last = point


def _straight(first: _Point, second: _Point) -> Iterator[Edges]:
    (left, right), (bottom, top) = sorted((first[0], second[0])), sorted((first[1], second[1]))
    if top - bottom <= _STRAIGHT and right - left >= _SHORTEST:
        yield left, bottom, right, bottom
    elif right - left <= _STRAIGHT and top - bottom >= _SHORTEST:
        yield left, bottom, left, top
