"""Blocks of the lines and tables of pages: headings by their size, paragraphs and tables."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise
from statistics import median

from core.documents.model import BLANK_LINE, Block, heading, table
from core.documents.parsing.pdf.boxes import gap, width
from core.documents.parsing.pdf.columns import in_reading_order
from core.documents.parsing.pdf.page import Page, Run
from core.documents.parsing.pdf.rows import is_right_to_left
from core.documents.parsing.pdf.tables import Grid, take_tables
from core.documents.parsing.pdf.words import HyphenatedWords
from core.domain.place import Box, BoxedText, union
from core.domain.text.sentences import sentence_spans, trim

_HEADING_SIZE = 1.15
"""The ratio to the body's font size from which on a short line is a heading."""
_MOST_HEADING_CHARS = 200
_LONG = 700
"""Characters from which on the sentences of a paragraph are blocks of their own."""
_LONG_LINE = 30
"""Characters from which on a line may go on in the next column."""
_LONG_LINE_SIZES = 10
"""The width of a long line in font sizes."""
_INDENT = 0.8
"""The indent in font sizes by which a line begins or ends a paragraph, after a sentence."""
_BULLET = re.compile(r"(?:[•‣▪◦●■–-]|\(?\d{1,3}[.)])\s+")
_SENTENCE_END = re.compile(r"[.!?:;。！？…؟۔][\"'”’»)\]」』]*$")


@dataclass(frozen=True, slots=True)
class _Line:
    run: Run
    page: Page


def body_size(pages: Iterable[Page]) -> float:
    """Return the font size of most of the text; 0 without text."""
    runs = [run for page in pages for run in page.runs]
    weights = [size for run in runs for size in [run.size] * (1 + len(run.text) // 20)]
    return median(weights) if weights else 0.0


def blocks_of(pages: Sequence[Page]) -> Iterator[Block]:
    """Yield the blocks in reading order, each with the box on its page."""
    words = HyphenatedWords(run.text for page in pages for run in page.runs)
    body = body_size(pages)
    parts = [(page, part) for page in pages for part in _parts(page)]
    lines = [run for page in pages for run in page.runs]
    large = sorted({_rounded_size(line) for line in lines if _is_large(line, body)}, reverse=True)
    above: tuple[Page, Grid, list[str]] | None = None
    for is_table, group in groupby(parts, key=lambda part: isinstance(part[1], Grid)):
        if not is_table:
            of_lines = [_Line(part, page) for page, part in group if isinstance(part, Run)]
            for paragraph in _paragraphs(of_lines):
                yield from _of_lines(paragraph, words, body, large)
            above = None
            continue
        for page, grid in group:
            assert isinstance(grid, Grid)
            rows, columns = _texts(grid, words), None
            if above is not None and _continues(above[0], above[1], page, grid):
                columns = None if rows[0] == above[2] else above[2]
            above = (page, grid, columns or rows[0])
            block = table(rows, 0, columns=columns or ())
            if block is not None:
                boxes = tuple(_row_boxes(block, page, grid))
                yield replace(block, page=page.number, box=page.shown(grid.box), boxes=boxes)


def _parts(page: Page) -> list[Run | Grid]:
    grids, runs = take_tables(page, page.runs)
    return [*in_reading_order([*grids, *runs]), *page.asides]


def _texts(grid: Grid, words: HyphenatedWords) -> list[list[str]]:
    """Return the rows of a table as texts, the columns in the order in which they are read."""
    runs = [run for row in grid.rows for cell in row.values() for run in cell]
    columns = [n for n in range(len(grid.edges)) if any(n in row for row in grid.rows)]
    if is_right_to_left(runs):
        columns.reverse()
    return [
        [words.join([run.text for run in row.get(column, [])])[0] for column in columns]
        for row in grid.rows
    ]


def _row_boxes(block: Block, page: Page, grid: Grid) -> Iterator[BoxedText]:
    """Yield the boxes of a table's rows; the line below the header belongs to the header."""
    lines = block.text.split("\n")
    starts = [0, *accumulate(len(line) + 1 for line in lines)][: len(lines)]
    if block.header:
        del starts[1]
    for start, row in zip(starts, grid.rows, strict=True):
        yield BoxedText(start, page.shown(union(run.box for cell in row.values() for run in cell)))


def _continues(page: Page, grid: Grid, next_page: Page, below: Grid) -> bool:
    """Return whether a table at the top of a page has the columns of the one above it."""
    return (
        next_page.number == page.number + 1
        and len(grid.edges) == len(below.edges)
        and all(abs(a - b) <= 3 for a, b in zip(grid.edges, below.edges, strict=True))
    )


def _of_lines(
    lines: Sequence[_Line], words: HyphenatedWords, body: float, large: list[float]
) -> Iterator[Block]:
    """Yield a heading, or a paragraph with the boxes of its sentences."""
    page = lines[0].page
    boxes = [line.run.box for line in lines]
    text, starts = words.join([line.run.text for line in lines])
    is_heading = _is_large(lines[0].run, body) and lines[0].run not in page.asides
    if is_heading and len(text) <= _MOST_HEADING_CHARS:
        level = min(large.index(_rounded_size(lines[0].run)) + 1, 6)
        yield replace(heading(text, level, 0), page=page.number, box=page.shown(union(boxes)))
        return
    yield from _of_paragraph(text, starts, boxes, page)


def _of_paragraph(
    text: str, starts: Sequence[int], boxes: Sequence[Box], page: Page
) -> Iterator[Block]:
    """Yield a paragraph, or its sentences if it is long; `starts` and `boxes` are its lines'."""
    ends = [end for _, end in sentence_spans(text)] or [len(text)]
    sentences = [(begin, trim(text, begin, end)[0], end) for begin, end in pairwise([0, *ends])]
    parts = []
    for _, start, end in sentences:
        first, last = bisect_right(starts, start) - 1, bisect_left(starts, end)
        parts.append(BoxedText(start, page.shown(union(boxes[first:last]))))
    if len(text) <= _LONG:
        of_sentences = tuple(parts) if len(parts) > 1 else ()
        box = page.shown(union(boxes))
        yield Block("paragraph", text, 0, page=page.number, box=box, boxes=of_sentences)
        return
    for (begin, start, end), part in zip(sentences, parts, strict=True):
        gap = text[begin:start] if begin else BLANK_LINE
        yield Block("paragraph", text[start:end], 0, gap=gap, page=page.number, box=part.box)


def _rounded_size(run: Run) -> float:
    return round(run.size, 1)


def _is_large(run: Run, body: float) -> bool:
    return run.size >= _HEADING_SIZE * body


def _paragraphs(lines: Iterable[_Line]) -> Iterator[list[_Line]]:
    group: list[_Line] = []
    for line in lines:
        if group and not _goes_on(group[-1], line):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _goes_on(last: _Line, line: _Line) -> bool:
    """Return whether a line is of the same paragraph as the one before it, on one page."""
    above, below = last.run, line.run
    if line.page is not last.page or abs(below.size - above.size) > 0.1 * above.size:
        return False
    size = max(above.size, 1.0)
    is_ended = _SENTENCE_END.search(above.text) is not None
    space = below.box[1] - above.box[3]
    if space < -size:  # the next column
        return not is_ended and gap(above.box, below.box) > 0 and _may_go_on(above.text, below.text)
    is_indented = abs(below.box[0] - above.box[0]) > _INDENT * size
    is_close = space < 0.75 * size or (not is_ended and _is_full(above, below, space))
    return (
        is_close
        and gap(above.box, below.box) < 0
        and not _BULLET.match(below.text)
        and not (is_ended and is_indented)
    )


def _is_full(above: Run, below: Run, space: float) -> bool:
    """Return whether a line of widely spaced text is long, and about as long as the next one."""
    longest = max(width(above.box), width(below.box), _LONG_LINE_SIZES * above.size)
    return space < 1.6 * above.size and width(above.box) >= 0.85 * longest


def _may_go_on(above: str, below: str) -> bool:
    """Return whether a text may go on in the next column: in lower case, or after a long line."""
    if below[0].isdigit() or _BULLET.match(below):
        return False
    return not below[0].isupper() or len(above) >= _LONG_LINE
