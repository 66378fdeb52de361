"""The order in which the parts of a page are read: columns one after the other."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median
from typing import TypeAlias

from core.documents.parsing.pdf.boxes import middle
from core.documents.parsing.pdf.page import Run
from core.documents.parsing.pdf.rows import is_right_to_left, join_row, rows_of
from core.documents.parsing.pdf.tables import Grid

Part: TypeAlias = Run | Grid

_NARROWEST = 0.8
"""The width of a gutter in font sizes."""
_MOST_EDGES = 12
_FEWEST_LINES = 2
"""The lines that each column has at least."""
_FEWEST_IN_COLUMNS = 6
_PROSE_CHARS = 25
"""The mean length of lines from which on two columns are prose, in whatever order they come."""
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class _Gutter:
    """White space between two columns, from left to right."""

    left: float
    right: float

    def side(self, part: Part) -> int:
        """Return -1 for a part left of the gutter, 1 for one right of it, 0 for one across it."""
        if part.box[0] >= self.left:
            return 1
        return -1 if part.box[2] <= self.right + (self.right - self.left) else 0


def in_reading_order(parts: Sequence[Part]) -> list[Part]:
    """Return the tables and the lines of a page, each line as one run."""
    runs = [part for part in parts if isinstance(part, Run)]
    if not runs:
        return sorted(parts, key=lambda part: part.box[1])
    size = median(run.size for run in runs)
    return list(_reading_order(parts, size, is_right_to_left(runs), 0))


def _reading_order(
    parts: Sequence[Part], size: float, is_backward: bool, depth: int
) -> Iterator[Part]:
    gutter = _best_gutter(parts, size) if depth < _DEEPEST else None
    if gutter is None:
        yield from _lines(parts)
        return
    for band in _bands(parts, gutter):
        sides = _sides(band, gutter)
        if not _are_columns(*sides):
            yield from _lines(band)
            continue
        for side in reversed(sides) if is_backward else sides:
            yield from _reading_order(side, size, is_backward, depth + 1)


def _lines(parts: Sequence[Part]) -> list[Part]:
    """Return what is not in columns from the top down."""
    lines: list[Part] = [join_row(row) for row in rows_of(p for p in parts if isinstance(p, Run))]
    lines.extend(part for part in parts if isinstance(part, Grid))
    return sorted(
        lines, key=lambda part: part.box[1] if isinstance(part, Grid) else middle(part.box)
    )


def _best_gutter(parts: Sequence[Part], size: float) -> _Gutter | None:
    """Return the gutter with the most lines at its sides, or `None` if none has enough."""
    best, most = None, _FEWEST_IN_COLUMNS - 1
    for gutter in _gutters(parts, _NARROWEST * size):
        lines = 0
        for band in _bands(parts, gutter):
            sides = _sides(band, gutter)
            if _are_columns(*sides):
                lines += 2 * min(map(len, sides))
        if lines > most:
            best, most = gutter, lines
    return best


def _gutters(parts: Sequence[Part], width: float) -> Iterator[_Gutter]:
    """Yield the gutters before the edges where most lines begin, and after those where they end."""
    lefts = Counter(round(part.box[0]) for part in parts)
    rights = Counter(round(part.box[2]) for part in parts)
    for left, count in lefts.most_common(_MOST_EDGES):
        if count >= _FEWEST_LINES:
            yield _Gutter(left - 1 - width, left - 1)
    for right, count in rights.most_common(_MOST_EDGES):
        if count >= _FEWEST_LINES:
            yield _Gutter(right + 1, right + 1 + width)


def _bands(parts: Sequence[Part], gutter: _Gutter) -> Iterator[list[Part]]:
    """Yield what is between two parts that cross the gutter, and runs of those, from the top."""
    band: list[Part] = []
    is_across = False
    for part in sorted(parts, key=lambda part: middle(part.box)):
        crosses = gutter.side(part) == 0
        if band and crosses != is_across:
            yield band
            band = []
        band.append(part)
        is_across = crosses
    if band:
        yield band


def _sides(band: Sequence[Part], gutter: _Gutter) -> tuple[list[Part], list[Part]]:
    left = [part for part in band if gutter.side(part) < 0]
    return left, [part for part in band if gutter.side(part) > 0]


def _are_columns(left: Sequence[Part], right: Sequence[Part]) -> bool:
    """Return whether two sides are columns: drawn one after the other, or both of prose."""
    if any(len({part.line for part in side}) < _FEWEST_LINES for side in (left, right)):
        return False
    top = max(min(part.box[1] for part in side) for side in (left, right))
    bottom = min(max(part.box[3] for part in side) for side in (left, right))
    if bottom <= top:
        return False
    order = sorted([(part.line, 0) for part in left] + [(part.line, 1) for part in right])
    changes = sum(first[1] != second[1] for first, second in pairwise(order))
    if changes <= 1 + 0.1 * len(order):
        return True
    return all(_mean_chars(side) >= _PROSE_CHARS for side in (left, right))


def _mean_chars(side: Sequence[Part]) -> float:
    return mean([len(part.text) for part in side if isinstance(part, Run)] or [0])
