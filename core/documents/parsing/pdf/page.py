"""The runs of words on a page of a PDF, with their boxes."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import hypot

from pypdfium2 import PdfDocument, PdfPage, PdfTextPage, raw

from core.documents.parsing.pdf.boxes import gap, height, is_within, middle, rotate_box, width
from core.documents.parsing.pdf.rules import read_rules
from core.domain.place import Box, union

_LINE = re.compile("[^\r\n\x02\ufffe]*[\x02\ufffe]?")
"""A line of pdfium's text, or a part of one that ends with a hyphen at a line end."""
_WORD = re.compile(r"\S+")
_HYPHENS = str.maketrans({"\x02": "-", "\ufffe": "-", "\x00": None})
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_WIDE = 1.0
"""The space between two words, in font sizes, from which on they may be of two columns."""
_NEXT_LINE = 0.8
"""The distance, in font sizes, from which on two words are not on the same line."""
_OVERPRINT = 0.15
"""The distance, in font sizes, up to which a text that is drawn again only looks bolder."""
_SMALLEST = 0.1
"""The edge of a character's box in points below which its glyph is unknown."""
_SLANT = 0.2
"""The slope from which on a line is in none of the four directions."""


@dataclass(frozen=True, slots=True)
class Run:
    """Words of one line without a wide space between them.

    `box` is in points from the top left corner of the page as it is read. Runs that the file draws
    as one line have the same `line`, which increases in the file's order.
    """

    text: str
    box: Box
    size: float
    line: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page turned so that most of its text is read from left to right, line below line.

    `rules` are the ruling lines, as boxes without a width or a height. `asides` are runs in other
    directions. `turns` are the quarters by which the page as it is shown is turned clockwise.
    """

    number: int
    width: float
    height: float
    runs: tuple[Run, ...]
    asides: tuple[Run, ...]
    rules: tuple[Box, ...]
    turns: int

    def shown(self, box: Box) -> Box:
        """Return a box on the page as a viewer shows it."""
        corners = rotate_box(box, self.turns, self.width, self.height)
        left, top, right, bottom = (round(edge, 2) for edge in corners)
        return left, top, right, bottom


def read_page(document: PdfDocument, index: int) -> Page:
    """Return a page by its index from 0.

    Raises:
        PdfiumError: the page is damaged.
    """
    page = document[index]
    textpage = page.get_textpage()
    try:
        return _Reader(page, textpage).read(index + 1)
    finally:
        textpage.close()
        page.close()


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    box: Box
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A run with its direction: the quarters by which the page is turned to read it."""

    run: Run
    turns: int | None


class _Reader:
    """A page and its text; boxes are on the page before its rotation."""

    def __init__(self, page: PdfPage, textpage: PdfTextPage) -> None:
        self._page = page
        self._textpage = textpage
        left, bottom, right, top = page.get_bbox()
        self._left, self._top = left, top
        self._width, self._height = right - left, top - bottom
        self._rules = [self._box(*edges) for edges in read_rules(page)]
        self._codes = [
            raw.FPDFText_GetUnicode(textpage, index) for index in range(textpage.count_chars())
        ]

    def read(self, number: int) -> Page:
        whole = (0.0, 0.0, self._width, self._height)
        stretches = [part for part in self._stretches() if is_within(part.run.box, whole)]
        stretches = list(_once(stretches))
        weights: Counter[int] = Counter()
        for part in stretches:
            if part.turns is not None:
                weights[part.turns] += len(part.run.text)
        turns = max(weights, key=weights.__getitem__, default=0)
        stretches = [_with_turns(part, turns) for part in stretches]
        across = turns % 2
        return Page(
            number,
            self._height if across else self._width,
            self._width if across else self._height,
            tuple(self._as_read(part.run, turns) for part in stretches if part.turns == turns),
            tuple(self._as_read(part.run, turns) for part in stretches if part.turns != turns),
            tuple(rotate_box(rule, turns, self._width, self._height) for rule in self._rules),
            self._page.get_rotation() // 90 - turns,
        )

    def _as_read(self, run: Run, turns: int) -> Run:
        return replace(run, box=rotate_box(run.box, turns, self._width, self._height))

    def _box(self, left: float, bottom: float, right: float, top: float) -> Box:
        return left - self._left, self._top - top, right - self._left, self._top - bottom

    def _stretches(self) -> Iterator[_Stretch]:
        text = "".join(map(_character, self._codes))
        lines = (list(_WORD.finditer(text, *line.span())) for line in _LINE.finditer(text))
        for number, matches in enumerate(filter(None, lines)):
            words = [self._word(match) for match in matches]
            turns, size = self._direction(words)
            for group in self._groups(words, turns or 0, size):
                shown = " ".join(word.text for word in group).strip()
                if shown:
                    yield _Stretch(Run(shown, self._box_of(group), size, number), turns)

    def _word(self, match: "re.Match[str]") -> _Word:
        first, last = match.start(), match.end() - 1
        ends = range(first, last + 1) if _RIGHT_TO_LEFT.search(match[0]) else {first, last}
        box = union(map(self._character_box, ends))
        text = match[0].translate(_HYPHENS)
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
        return _Word(text, box, first, last)

    def _character_box(self, index: int) -> Box:
        """Return the box of a glyph, or of its line's height if its font is not in the file."""
        box = self._box(*self._textpage.get_charbox(index))
        if min(width(box), height(box)) > _SMALLEST:
            return box
        return self._box(*self._textpage.get_charbox(index, loose=True))

    def _direction(self, words: Sequence[_Word]) -> tuple[int | None, float]:
        """Return the quarters by which a line is turned to be read, or `None`, and its font size.

        Vertical writing goes from right to left, as lines do on a page that is turned back.
        """
        matrix = raw.FS_MATRIX()
        size = float(raw.FPDFText_GetFontSize(self._textpage, words[0].first))
        if not raw.FPDFText_GetMatrix(self._textpage, words[0].first, matrix):
            matrix.a = matrix.d = 1.0
        along, across = abs(matrix.a), abs(matrix.b)
        size *= hypot(matrix.c, matrix.d)
        if size < 1:
            size = max(1.0, min(height(word.box) for word in words))
        if min(along, across) > _SLANT * max(along, across):
            return None, size
        if across > along:
            return (1 if matrix.b > 0 else 3), size
        if any(self._is_vertical(word, size) for word in words):
            return 3, size
        return (0 if matrix.a > 0 else 2), size

    def _is_vertical(self, word: _Word, size: float) -> bool:
        """Return whether the last character of a word is below the first one."""
        if word.first == word.last:
            return False
        first, last = map(self._character_box, (word.first, word.last))
        down = middle(last) - middle(first)
        return down > 0.5 * size and down > abs(last[0] + last[2] - first[0] - first[2]) / 2

    def _groups(self, words: Sequence[_Word], turns: int, size: float) -> Iterator[list[_Word]]:
        """Yield the words of a line, cut at wide spaces, ruling lines and new lines."""
        boxes = self._rotate((word.box for word in words), turns)
        rules = self._rules_across(union(boxes), turns)
        group = [words[0]]
        for index in range(1, len(words)):
            before, box = boxes[index - 1], boxes[index]
            is_below = abs(middle(before) - middle(box)) > _NEXT_LINE * size
            is_far = is_below or gap(before, box) > _WIDE * size
            if is_far or any(_parts(rule, before, box) for rule in rules):
                yield group
                group = []
            group.append(words[index])
        yield group

    def _rules_across(self, line: Box, turns: int) -> list[Box]:
        """Return the upright ruling lines between the words of a line."""
        return [
            rule
            for rule in self._rotate(self._rules, turns)
            if height(rule) and rule[1] < line[3] and rule[3] > line[1]
        ]

    def _rotate(self, boxes: Iterable[Box], turns: int) -> list[Box]:
        return [rotate_box(box, turns, self._width, self._height) for box in boxes]

    def _box_of(self, words: Sequence[_Word]) -> Box:
        """Return the box around all characters of some words."""
        first, last = words[0].first, words[-1].last
        count = self._textpage.count_rects(first, last - first + 1)
        boxes = [self._box(*self._textpage.get_rect(index)) for index in range(count)]
        return union([*boxes, *(word.box for word in words)])


def _once(parts: Iterable[_Stretch]) -> Iterator[_Stretch]:
    """Yield the runs, one of those that are drawn twice at a place to look bold."""
    drawn: dict[str, list[Box]] = {}
    for part in parts:
        run = part.run
        boxes = drawn.setdefault(run.text, [])
        if not any(_is_near(box, run.box, _OVERPRINT * run.size) for box in boxes):
            boxes.append(run.box)
            yield part


def _is_near(first: Box, second: Box, distance: float) -> bool:
    return all(abs(a - b) <= distance for a, b in zip(first, second, strict=True))


def _with_turns(part: _Stretch, turns: int) -> _Stretch:
    """Return a run with the page's direction if it is one upright character, which has none."""
    is_any = part.turns == 0 and len(part.run.text) == 1
    return replace(part, turns=turns) if is_any else part


def _character(code: int) -> str:
    """Return a character, "\\0" for a glyph whose character is unknown."""
    if 0 < code < 0x110000 and (code >= 32 or code in (2, 9, 10, 13)):
        return chr(code)
    return "\0"


def _parts(rule: Box, before: Box, box: Box) -> bool:
    """Return whether an upright ruling line stands between two words."""
    left, right = (before, box) if before[0] <= box[0] else (box, before)
    return left[2] - 1 <= rule[0] <= right[0] + 1 and rule[1] <= (box[1] + box[3]) / 2 <= rule[3]
