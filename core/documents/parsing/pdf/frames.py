"""Frames: ruling lines that cross or meet, and so divide a part of a page into cells."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.documents.parsing.pdf.boxes import groups, height, index_of, spans, width
from core.domain.place import Box, union

_NEAR = 3.0
"""Points within which ruling lines meet, or are the same."""
_MOST_RULES = 1_000
"""The number of ruling lines from which on a page is a drawing."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The cells between ruling lines; `columns` and `rows` are the edges of both, ascending."""

    box: Box
    columns: tuple[float, ...]
    rows: tuple[float, ...]

    def column(self, box: Box) -> int:
        """Return the column that the middle of a box is in."""
        return min(index_of((box[0] + box[2]) / 2, self.columns), len(self.columns) - 2)


def frames(rules: Sequence[Box]) -> Iterator[Frame]:
    """Yield the frames with two columns or more, from the top down."""
    lines = _whole(rules)
    if len(lines) > _MOST_RULES:
        return
    for group in sorted(_connected_groups(lines), key=lambda group: min(line[1] for line in group)):
        box = union(group)
        columns = groups([box[0], box[2], *(line[0] for line in group if height(line))], _NEAR)
        rows = groups([box[1], box[3], *(line[1] for line in group if width(line))], _NEAR)
        if len(columns) > 2 and len(rows) > 1:
            yield Frame(box, tuple(columns), tuple(rows))


def separators(rules: Iterable[Box], box: Box) -> list[float]:
    """Return the heights of the horizontal lines in a box that are as wide as half of it."""
    across = [
        rule[1]
        for rule in rules
        if box[1] - _NEAR <= rule[1] <= box[3] + _NEAR
        and min(rule[2], box[2]) - max(rule[0], box[0]) >= 0.5 * width(box)
    ]
    return groups(across, _NEAR)


def _whole(rules: Iterable[Box]) -> list[Box]:
    """Return the rules, those of one line that meet each other joined."""
    flat: dict[int, list[Box]] = {}
    upright: dict[int, list[Box]] = {}
    for rule in rules:
        if width(rule):
            flat.setdefault(round(rule[1]), []).append(rule)
        else:
            upright.setdefault(round(rule[0]), []).append(rule)
    lines = [
        (left, parts[0][1], right, parts[0][1])
        for parts in flat.values()
        for left, right in spans(((part[0], part[2]) for part in parts), _NEAR)
    ]
    lines += [
        (parts[0][0], top, parts[0][0], bottom)
        for parts in upright.values()
        for top, bottom in spans(((part[1], part[3]) for part in parts), _NEAR)
    ]
    return lines


def _connected_groups(lines: Sequence[Box]) -> Iterator[list[Box]]:
    """Yield the lines in groups whose members meet each other, directly or through others."""
    left = set(range(len(lines)))
    while left:
        group, reached = [], [left.pop()]
        while reached:
            line = lines[reached.pop()]
            group.append(line)
            near = [index for index in left if _meet(line, lines[index])]
            left.difference_update(near)
            reached.extend(near)
        yield group


def _meet(first: Box, second: Box) -> bool:
    return (
        first[0] <= second[2] + _NEAR
        and second[0] <= first[2] + _NEAR
        and first[1] <= second[3] + _NEAR
        and second[1] <= first[3] + _NEAR
    )
