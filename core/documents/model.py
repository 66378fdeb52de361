"""A parsed document: a title and blocks, in reading order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from core.domain.place import Box, BoxedText, Place

Kind: TypeAlias = Literal["front_matter", "heading", "paragraph", "item", "table", "code", "quote"]

BLANK_LINE = "\n\n"
MAX_TITLE_CHARS = 1000
MAX_HEADING_CHARS = 300
"""Limits of what each chunk repeats in its place."""
MAX_DESCRIPTION_CHARS = 500


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a document that is split only if it is too long.

    `text` is what a chunk shows. A heading's is in Markdown's form (`## Ports`), and `title` has
    its words alone; that of a table without its header names the columns. `level` is 1 to 6 for a
    heading, and the depth of its list for all that belongs to a list item, else 0. `header` are the
    first lines of `text` that each part of a long table or code block repeats. `gap` is the white
    space between the block before and this one. `line` counts from 1, and is 0 in a format without
    lines. `boxes` are those of the sentences or rows of `text`, if `box` has several.
    """

    kind: Kind
    text: str
    line: int
    level: int = 0
    header: str = ""
    title: str = ""
    gap: str = BLANK_LINE
    page: int | None = None
    box: Box | None = None
    boxes: tuple[BoxedText, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document; `title` is its own, in plain words, or `None` if it has none."""

    title: str | None
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """The text of a chunk, without white space at its ends, and its place."""

    text: str
    place: Place


def join_blocks(blocks: Sequence[Block]) -> str:
    """Return the blocks' texts with the gaps between them."""
    first, rest = blocks[0], blocks[1:]
    return first.text + "".join(block.gap + block.text for block in rest)


def front_matter(description: str) -> Block:
    """Return the block of a front matter, which is searched with what follows and never quoted."""
    return Block("front_matter", f"---\ndescription: {description[:MAX_DESCRIPTION_CHARS]}\n---", 1)


def heading(words: str, level: int, line: int) -> Block:
    """Return a heading's block; `words` are in one line."""
    marks = "#" * min(max(level, 1), 6)
    return Block(
        "heading", f"{marks} {words}", line, level=len(marks), title=words[:MAX_HEADING_CHARS]
    )


def item(words: str, marker: str, line: int, level: int, *, is_first: bool) -> Block:
    """Return the block of a list item, indented by its level; `is_first` of a list below prose."""
    gap = (BLANK_LINE if is_first else "\n") + "  " * (level - 1)
    return Block("item", f"{marker}{words}", line, level, gap=gap)


def fenced_block(code: str, language: str, line: int, *, level: int = 0) -> Block:
    """Return a code block, in a fence that is longer than any in the code."""
    fence = "```"
    while fence in code:
        fence += "`"
    header = fence + language
    text = f"{header}\n{code}\n{fence}"
    return Block("code", text, line, level=level, header=header)


def table(
    rows: Sequence[Sequence[str]], line: int, *, level: int = 0, columns: Sequence[str] = ()
) -> Block | None:
    """Return a table whose first row is its header; `None` if no cell has text.

    With `columns`, the names of the columns, all rows are values: the header is elsewhere.
    """
    if not any(cell.strip() for row in rows for cell in row):
        return None
    width = max(len(row) for row in rows)
    lines = [_row([*row, *[""] * (width - len(row))]) for row in rows]
    if columns:
        title = " | ".join(filter(None, columns))[:MAX_HEADING_CHARS]
        return Block("table", "\n".join(lines), line, level=level, title=title)
    header = f"{lines[0]}\n{_row(['---'] * width)}"
    text = "\n".join([header, *lines[1:]])
    return Block("table", text, line, level=level, header=header)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()) for cell in cells)} |"


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as a viewer shows it; an edge of a box times `scale` is its place in pixels."""

    png: bytes
    scale: float
