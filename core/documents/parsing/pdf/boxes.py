"""Boxes on a page: left, top, right and bottom edge from its top left corner."""

from collections.abc import Iterable, Sequence

from core.domain.place import Box


def rotate_box(box: Box, turns: int, width: float, height: float) -> Box:
    """Return where a box is once its page of a size is turned clockwise by quarters."""
    left, top, right, bottom = box
    for _ in range(turns % 4):
        left, top, right, bottom = height - bottom, left, height - top, right
        width, height = height, width
    return left, top, right, bottom


def height(box: Box) -> float:
    return box[3] - box[1]


def width(box: Box) -> float:
    return box[2] - box[0]


def middle(box: Box) -> float:
    """Return the vertical middle."""
    return (box[1] + box[3]) / 2


def gap(first: Box, second: Box) -> float:
    """Return the horizontal distance between two boxes, negative if they overlap."""
    return max(first[0], second[0]) - min(first[2], second[2])


def is_within(inner: Box, outer: Box, tolerance: float = 0.0) -> bool:
    """Return whether the middle of a box is in another one."""
    x = (inner[0] + inner[2]) / 2
    return (
        outer[0] - tolerance <= x <= outer[2] + tolerance
        and outer[1] - tolerance <= middle(inner) <= outer[3] + tolerance
    )


def groups(numbers: Iterable[float], tolerance: float) -> list[float]:
    """Return the first number of each run of numbers that are close to each other, ascending."""
    firsts: list[float] = []
    last = float("-inf")
    for number in sorted(numbers):
        if number - last > tolerance:
            firsts.append(number)
        last = number
    return firsts


def spans(intervals: Iterable[tuple[float, float]], tolerance: float) -> list[tuple[float, float]]:
    """Return intervals, those that overlap or are close joined, ascending."""
    joined: list[tuple[float, float]] = []
    for start, end in sorted(intervals):
        if joined and start - joined[-1][1] <= tolerance:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def index_of(number: float, edges: Sequence[float]) -> int:
    """Return the place of the last edge that is not above a number; 0 below the first."""
    return max(sum(edge <= number for edge in edges) - 1, 0)
