"""Tables: cells between ruling lines, or rows whose parts are aligned."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import mean, median
from typing import TypeAlias

from core.documents.parsing.pdf.boxes import index_of, is_within, middle, spans, width
from core.documents.parsing.pdf.frames import Frame, frames, separators
from core.documents.parsing.pdf.page import Page, Run
from core.documents.parsing.pdf.rows import rows_of
from core.domain.place import Box, union

_MOST_CELL_CHARS = 1_000
"""Characters of a cell from which on the lines are a layout, not a table."""
_PROSE_CHARS = 25
"""The mean length from which on the parts of rows are the lines of columns of prose."""
_WIDEST_GAP = 2.5
"""The space between two rows, in font sizes, from which on they are of two tables."""
_TIGHT = 0.8
"""The space, in font sizes, below which a line goes on in the cell above."""
_MOST_ALONE = 3
"""Rows with one part that may follow one another within a table."""
_MARKER = re.compile(r"(?:[•‣▪◦●■–*-]|\(?\w{1,4}[.):])$")

ColumnOf: TypeAlias = Callable[[Box], int]
Cells: TypeAlias = dict[int, list[Run]]
"""The runs of a row by column."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table in its box; `rows` have the runs of each column. `edges` are the columns' lefts."""

    box: Box
    rows: tuple[Cells, ...]
    edges: tuple[float, ...]
    line: int


def take_tables(page: Page, runs: Sequence[Run]) -> tuple[list[Grid], list[Run]]:
    """Return the tables among the runs of a page, and the other runs in their order."""
    grids: list[Grid] = []
    rest = list(runs)
    for frame in frames(page.rules):
        inside = [run for run in rest if is_within(run.box, frame.box, 1)]
        grid = _framed_table(frame, inside)
        if grid is not None:
            grids.append(grid)
            taken = set(inside)
            rest = [run for run in rest if run not in taken]
    for stretch in _stretches(rest):
        grid = _aligned_table(stretch, page.rules)
        if grid is not None:
            grids.append(grid)
            used = {run for row in grid.rows for cell in row.values() for run in cell}
            rest = [run for run in rest if run not in used]
    return grids, rest


def _framed_table(frame: Frame, runs: Sequence[Run]) -> Grid | None:
    """Return the table of the runs between ruling lines, if they are one."""
    lines = rows_of(runs)
    columns = [frame.column(run.box) for run in runs]
    if len(set(columns)) < 2 or len(lines) < 2:
        return None
    rows = tuple(_rows(lines, frame.column, frame.rows))
    longest = max(sum(len(run.text) for run in cell) for row in rows for cell in row.values())
    if longest > _MOST_CELL_CHARS:
        return None
    return Grid(frame.box, rows, frame.columns[:-1], min(run.line for run in runs))


def _stretches(runs: Iterable[Run]) -> Iterator[Sequence[list[Run]]]:
    """Yield lines below one another, of which the first and the last have several parts."""
    stretch: list[list[Run]] = []
    for _, group in groupby(runs, key=lambda run: run.line):
        line = list(group)
        if stretch and not _continues(stretch, line):
            yield from _trim(stretch)
            stretch = []
        if stretch or len(line) > 1:
            stretch.append(line)
    yield from _trim(stretch)


def _continues(stretch: Sequence[Sequence[Run]], line: Sequence[Run]) -> bool:
    above, box = union(run.box for run in stretch[-1]), union(run.box for run in line)
    space = box[1] - above[3]
    if not middle(above) < middle(box) or space > _WIDEST_GAP * line[0].size:
        return False
    if len(line) > 1:
        return True
    whole = union(run.box for row in stretch for run in row)
    alone = [len(row) == 1 for row in stretch[-_MOST_ALONE:]]
    return width(box) <= 0.6 * width(whole) and not (len(alone) == _MOST_ALONE and all(alone))


def _trim(stretch: Sequence[list[Run]]) -> Iterator[Sequence[list[Run]]]:
    """Yield the lines up to the last with several parts, and those that go on below its cells."""
    size = max((n for n, line in enumerate(stretch, start=1) if len(line) > 1), default=0)
    if not size:
        return
    second = stretch[size - 1][1]
    for above, line in pairwise(stretch[size - 1 :]):
        space = line[0].box[1] - max(run.box[3] for run in above)
        if line[0].box[0] < second.box[0] - 1 or space > _TIGHT * line[0].size:
            break
        size += 1
    yield stretch[:size]


def _aligned_table(lines: Sequence[Sequence[Run]], rules: Sequence[Box]) -> Grid | None:
    """Return the table of lines whose parts stand below one another, if they are one."""
    several = [line for line in lines if len(line) > 1]
    counts = Counter(map(len, several))
    enough = max(2.0, 0.3 * len(several))
    most = max((size for size, count in counts.items() if count >= enough), default=0)
    columns = spans(
        ((run.box[0], run.box[2]) for line in several if len(line) == most for run in line), 0
    )
    if len(columns) < 2 or len(several) < (3 if len(columns) == 2 else 2):
        return None

    def column_of(box: Box) -> int:
        distances = [max(left, box[0]) - min(right, box[2]) for left, right in columns]
        return distances.index(min(distances))

    if _is_prose(several, column_of, len(columns)):
        return None
    box = union(run.box for line in lines for run in line)
    rows = tuple(_rows(lines, column_of, separators(rules, box)))
    return Grid(box, rows, tuple(left for left, _ in columns), lines[0][0].line)


def _is_prose(lines: Sequence[Sequence[Run]], column_of: ColumnOf, columns: int) -> bool:
    """Return whether the columns are columns of prose, or the markers and texts of a list."""
    texts: list[list[str]] = [[] for _ in range(columns)]
    for line in lines:
        for run in line:
            texts[column_of(run.box)].append(run.text)
    if not all(texts):
        return True
    if columns == 2 and all(len(text) <= 2 or _MARKER.match(text) for text in texts[0]):
        return True
    return all(mean(map(len, column)) >= _PROSE_CHARS for column in texts)


def _rows(
    lines: Sequence[Sequence[Run]], column_of: ColumnOf, edges: Sequence[float]
) -> Iterator[Cells]:
    """Yield the rows, each of the lines between two ruling lines, or of a line and what wraps.

    `edges` are the heights of ruling lines. Without enough of them, a line goes on in the cells
    above if its first column is empty and it is closer to the line above than lines usually are.
    """
    boxes = [union(run.box for run in line) for line in lines]
    bands = [index_of(middle(box), edges) for box in boxes]
    spaces = [below[1] - above[3] for above, below in pairwise(boxes)]
    usual = median(spaces) if spaces else 0.0
    row: Cells = {}
    for number, line in enumerate(lines):
        cells: Cells = {}
        for run in line:
            cells.setdefault(column_of(run.box), []).append(run)
        if number and bands[number] == bands[number - 1]:
            space = spaces[number - 1]
            wraps = space < (_TIGHT * line[0].size if len(cells) == 1 else usual - 1)
            goes_on = len(set(bands)) > 2 or (0 not in cells and wraps)
        else:
            goes_on = False
        if row and not goes_on:
            yield row
            row = {}
        for column, runs in cells.items():
            row.setdefault(column, []).extend(runs)
    if row:
        yield row
