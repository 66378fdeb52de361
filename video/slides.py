"""Slides: the steps of a call with their source, boxes with arrows, and bars of figures."""

import ast
import inspect
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from typing import Any

from PIL import Image, ImageDraw

from video.drawing import ACCENT, DIM, INK, PAPER, STAGE, encode, font

_BOX, _LINE_CHARS, _MOST_LINES = "#242832", 92, 24


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a call: what it is, and the function that does it, as `module:Class.method`."""

    name: str
    function: str

    @property
    def file(self) -> str:
        return self.function.partition(":")[0].replace(".", "/") + ".py"

    def source(self) -> list[str]:
        """Return the lines of the function as they are in the file, without its docstring.

        Raises:
            ImportError, AttributeError: there is no such function any more.
        """
        module, _, path = self.function.partition(":")
        function: Any = reduce(getattr, path.split("."), import_module(module))
        # What numba has compiled, and a property, are not functions themselves.
        plain = getattr(function, "py_func", None) or getattr(function, "fget", None) or function
        return _without_docstring(textwrap.dedent(inspect.getsource(plain)))


def _without_docstring(source: str) -> list[str]:
    lines = source.splitlines()
    first = ast.parse(source).body[0].body[0]  # type: ignore[attr-defined]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        del lines[first.lineno - 1 : first.end_lineno]
    return lines


@dataclass(frozen=True, slots=True)
class Box:
    """A box of a picture; `left` and `top` are its place in 12 columns and 8 rows."""

    name: str
    left: float
    top: float
    about: str = ""
    is_lit: bool = False


def walk(title: str, steps: Sequence[Step], current: int) -> bytes:
    """Draw the steps of a call, one of them lit, and the beginning of its source."""
    picture, draw = _empty(title)
    height = (STAGE[1] - 120) // len(steps)
    for number, step in enumerate(steps):
        is_current = number == current
        top = 90 + number * height
        _rectangle(draw, (40, top, 400, top + height - 16), is_lit=is_current)
        draw.text((56, top + 8), step.name, font=font(19, _bold(is_current)), fill=INK)
        draw.text((56, top + 34), step.file, font=font(12, "DejaVuSansMono"), fill=DIM)
    _code(draw, steps[current])
    return encode(picture)


def parts(title: str, boxes: Sequence[Box], arrows: Sequence[tuple[str, str]]) -> bytes:
    """Draw boxes, and arrows from one to another by their names."""
    picture, draw = _empty(title)
    places = {box.name: _place(box) for box in boxes}
    for start, end in arrows:
        _arrow(draw, places[start], places[end])
    for box in boxes:
        left, top, right, bottom = places[box.name]
        _rectangle(draw, (left, top, right, bottom), is_lit=box.is_lit)
        draw.text((left + 14, top + 8), box.name, font=font(20, "DejaVuSans-Bold"), fill=INK)
        for number, line in enumerate(textwrap.wrap(box.about, 27)):
            draw.text((left + 14, top + 38 + 20 * number), line, font=font(14), fill=DIM)
    return encode(picture)


def bars(title: str, unit: str, rows: Sequence[tuple[str, float]], command: str) -> bytes:
    """Draw figures as bars, the first one lit, and the command that prints them."""
    picture, draw = _empty(title)
    greatest = max(value for _, value in rows)
    height = min(80, (STAGE[1] - 190) // len(rows))
    for number, (name, value) in enumerate(rows):
        top = 110 + number * height
        draw.text((40, top + 8), name, font=font(20, _bold(not number)), fill=INK)
        width = max(3, int(560 * value / greatest))
        _rectangle(draw, (470, top, 470 + width, top + height - 24), is_lit=not number)
        draw.text((484 + width, top + 8), f"{_number(value)} {unit}", font=font(20), fill=INK)
    draw.text((40, STAGE[1] - 50), command, font=font(17, "DejaVuSansMono"), fill=DIM)
    return encode(picture)


def _empty(title: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGB", STAGE, PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((40, 28), title, font=font(32, "DejaVuSans-Bold"), fill=ACCENT)
    return picture, draw


def _code(draw: ImageDraw.ImageDraw, step: Step) -> None:
    lines = step.source()
    draw.text((430, 92), f"{step.file}  {step.function.partition(':')[2]}", font=font(14), fill=DIM)
    for number, line in enumerate(lines[:_MOST_LINES]):
        place = 430, 120 + 20 * number
        draw.text(place, line[:_LINE_CHARS], font=font(15, "DejaVuSansMono"), fill=INK)
    if len(lines) > _MOST_LINES:
        left = len(lines) - _MOST_LINES
        draw.text((430, 120 + 20 * _MOST_LINES), f"… {left} more lines", font=font(14), fill=DIM)


def _place(box: Box) -> tuple[float, float, float, float]:
    left, top = 40 + box.left * 100, 95 + box.top * 66
    return left, top, left + 250, top + 108


def _rectangle(
    draw: ImageDraw.ImageDraw, place: tuple[float, float, float, float], *, is_lit: bool
) -> None:
    draw.rounded_rectangle(
        place, 8, fill=_BOX, outline=ACCENT if is_lit else DIM, width=3 if is_lit else 1
    )


def _arrow(
    draw: ImageDraw.ImageDraw,
    start: tuple[float, float, float, float],
    end: tuple[float, float, float, float],
) -> None:
    """Draw a line between the middles, with a dot where it enters the box."""
    first, last = (((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in (start, end))
    draw.line((first, last), fill=DIM, width=2)
    share = _share_outside(first, last, end)
    x, y = (a + (b - a) * share for a, b in zip(first, last, strict=True))
    draw.ellipse((x - 6, y - 6, x + 6, y + 6), fill=ACCENT)


def _share_outside(
    first: tuple[float, float], last: tuple[float, float], box: tuple[float, float, float, float]
) -> float:
    """Return the share of a line to the middle of a box that is outside of the box."""
    across = (box[2] - box[0]) / 2 / max(abs(last[0] - first[0]), 1e-9)
    down = (box[3] - box[1]) / 2 / max(abs(last[1] - first[1]), 1e-9)
    return max(0.0, 1 - min(across, down))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _bold(is_bold: bool) -> str:
    return "DejaVuSans-Bold" if is_bold else "DejaVuSans"
