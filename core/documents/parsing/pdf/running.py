"""Running heads and feet: what stands apart at the top or bottom of several pages."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from core.documents.parsing.pdf.boxes import middle
from core.documents.parsing.pdf.page import Page, Run
from core.documents.parsing.pdf.rows import join_row, rows_of
from core.domain.place import union

_FEWEST_PAGES = 3
"""The pages on which a line stands at least, unless the document has two and it is on both."""
_MOST_ROWS = 3
"""The rows that a running head or foot has at most."""
_APART = 1.0
"""The space in font sizes between a running line and the text."""
_LARGEST = 1.2
"""The ratio to the body's font size up to which a line may be a running line."""
_MOST_CHARS = 150
_SAME_HEIGHT = 6.0
_MOSTLY = 0.7
"""The share of pages on which a number is that of the page, or the same."""
_NUMBER = re.compile(r"\d+")
_ROMAN = re.compile(r"[ivxlc]+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Edge:
    """A row at an edge of a page; `form` is its text with each number as 0."""

    page: int
    form: str
    numbers: tuple[int, ...]
    height: float
    runs: frozenset[Run]


def without_running_lines(pages: Sequence[Page], size: float) -> list[Page]:
    """Return the pages without running heads and feet, page numbers and watermarks.

    `size` is the body's font size.
    """
    by_form: dict[tuple[bool, str], list[_Edge]] = defaultdict(list)
    for page in pages:
        rows = rows_of(page.runs)
        for is_foot, way in ((False, rows), (True, rows[::-1])):
            for edge in _edges(page.number, way, size):
                by_form[is_foot, edge.form].append(edge)
    fewest = 2 if len(pages) == 2 else _FEWEST_PAGES
    dropped: dict[int, set[Run]] = defaultdict(set)
    for edges in by_form.values():
        for edge in _repeated_rows(edges, fewest):
            dropped[edge.page].update(edge.runs)
    for edge in _page_number_rows(edge for edges in by_form.values() for edge in edges):
        dropped[edge.page].update(edge.runs)
    stamps = Counter(text for page in pages for text in {run.text for run in page.asides})
    return [_without(page, dropped[page.number], stamps, fewest) for page in pages]


def _without(page: Page, dropped: set[Run], stamps: Counter[str], fewest: int) -> Page:
    runs = tuple(run for run in page.runs if run not in dropped)
    asides = tuple(run for run in page.asides if stamps[run.text] < fewest)
    return replace(page, runs=runs or page.runs, asides=asides)


def _edges(page: int, rows: Sequence[Sequence[Run]], size: float) -> Iterator[_Edge]:
    """Yield the rows before the first space, if few rows are before it and more after it."""
    boxes = [union(run.box for run in row) for row in rows]
    for count, (box, below) in enumerate(pairwise(boxes[: _MOST_ROWS + 1]), start=1):
        space = max(below[1] - box[3], box[1] - below[3])
        if space >= _APART * min(size, join_row(rows[count - 1]).size):
            break
    else:
        return
    for row in rows[:count]:
        line = join_row(row)
        may_be_all = len(rows) == 2 and not _NUMBER.search(line.text)
        if line.size <= _LARGEST * size and len(line.text) <= _MOST_CHARS and not may_be_all:
            yield _Edge(
                page,
                "0" if _ROMAN.match(line.text) else _NUMBER.sub("0", line.text),
                tuple(int(number[-9:]) for number in _NUMBER.findall(line.text)),
                middle(line.box),
                frozenset(row),
            )


def _repeated_rows(edges: Sequence[_Edge], fewest: int) -> Iterable[_Edge]:
    """Return the rows of one form that are on enough pages, at one height."""
    height = median(edge.height for edge in edges)
    level = [edge for edge in edges if abs(edge.height - height) <= _SAME_HEIGHT]
    if len({edge.page for edge in level}) < fewest or not _numbers_fit(level):
        return ()
    return level


def _page_number_rows(edges: Iterable[_Edge]) -> Iterator[_Edge]:
    """Yield the rows that begin or end with the number of their page, whatever else they have.

    The rest of a running head may be the title of a chapter that has few pages.
    """
    by_rise: dict[tuple[int, int, int], list[_Edge]] = defaultdict(list)
    for edge in edges:
        for place in (0, -1):
            if edge.numbers and _at(edge.form, place) == "0":
                height = round(edge.height / _SAME_HEIGHT)
                by_rise[place, height, edge.numbers[place] - edge.page].append(edge)
    for rising in by_rise.values():
        if len({edge.page for edge in rising}) >= _FEWEST_PAGES:
            yield from rising


def _at(form: str, place: int) -> str:
    """Return the first or the last character of a row, dashes around it aside."""
    return form.strip("–-—| ")[place:][:1]


def _numbers_fit(edges: Sequence[_Edge]) -> bool:
    """Return whether each number is the same on most pages, or goes up with them."""
    arabic = [edge for edge in edges if edge.numbers]
    for place in range(min((len(edge.numbers) for edge in arabic), default=0)):
        constant = Counter(edge.numbers[place] for edge in arabic)
        rising = Counter(edge.numbers[place] - edge.page for edge in arabic)
        most = max(constant.most_common(1)[0][1], rising.most_common(1)[0][1])
        if most < _MOSTLY * len(arabic):
            return False
    return True
