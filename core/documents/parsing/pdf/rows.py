"""Rows of what stands at one height of a page."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from core.documents.parsing.pdf.boxes import gap, middle
from core.documents.parsing.pdf.page import Run
from core.domain.place import union

_SAME_ROW = 0.4
"""The distance of two middles, in font sizes, up to which they are of one row."""
_TOUCHING = 0.12
"""The space, in font sizes, below which two runs are parts of one word."""
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")


def rows_of(runs: Iterable[Run]) -> list[list[Run]]:
    """Return the rows from the top down, each in the order in which it is read."""
    rows: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: middle(run.box)):
        if rows:
            last = rows[-1][-1]
            distance = middle(run.box) - middle(last.box)
            if distance <= _SAME_ROW * max(run.size, last.size):
                rows[-1].append(run)
                continue
        rows.append([run])
    for row in rows:
        row.sort(key=lambda run: run.box[0], reverse=is_right_to_left(row))
    return rows


def is_right_to_left(runs: Iterable[Run]) -> bool:
    """Return whether most letters are Hebrew, Arabic, or of a script related to them."""
    text = "".join(run.text for run in runs)
    return 2 * len(_RIGHT_TO_LEFT.findall(text)) > sum(map(str.isalpha, text))


def join_row(row: Sequence[Run]) -> Run:
    """Return a row as one run, with the size of its longest part."""
    longest = max(row, key=lambda run: len(run.text))
    text = row[0].text
    for before, run in pairwise(row):
        is_mark = abs(before.size - run.size) > _TOUCHING * run.size
        is_apart = is_mark or gap(before.box, run.box) > _TOUCHING * run.size
        text += f" {run.text}" if is_apart else run.text
    return replace(longest, text=text, box=union(run.box for run in row), line=row[0].line)
