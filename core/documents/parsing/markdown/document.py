"""Markdown with what documentation tools add to it, as a title and blocks of clean text."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.documents.model import (
    Block,
    Kind,
    ParsedDocument,
    fenced_block,
    front_matter,
    heading,
    item,
    table,
)
from core.documents.parsing.dialects import without_dialects
from core.documents.parsing.front_matter import front_matter_lines, front_matter_value
from core.documents.parsing.html.document import html_blocks
from core.documents.parsing.markdown.leaves import Leaf, markdown_leaves

_LINE_END = re.compile(r"\r\n?|\n")
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}")


def parse_markdown(text: str) -> ParsedDocument:
    """Return a document's title and blocks; the time is linear in the length of the text."""
    source = _LINE_END.split(text.removeprefix("\ufeff"))
    above = front_matter_lines(source)
    numbered = [(line, number) for number, line in enumerate(source[above:], start=above + 1)]
    lines = without_dialects(numbered)
    prepared = "\n".join(line for line, _ in lines)
    blocks = tuple(_blocks(prepared, [number for _, number in lines]))
    title = front_matter_value("title", source[1:above]) or first_heading(blocks)
    description = front_matter_value("description", source[1:above])
    return ParsedDocument(title, _with_description(description, blocks))


def first_heading(blocks: Sequence[Block]) -> str | None:
    """Return the words of the first heading, or `None`."""
    return next((block.title for block in blocks if block.kind == "heading"), None)


def _with_description(description: str | None, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Return the blocks below a front matter with the description, unless a block repeats it."""
    if description is None or any(" ".join(block.text.split()) == description for block in blocks):
        return tuple(blocks)
    return front_matter(description), *blocks


def _blocks(prepared: str, numbers: Sequence[int]) -> Iterator[Block]:
    starts = [0, *(match.end() for match in re.finditer(rb"\n", prepared.encode()))]
    for leaf in markdown_leaves(prepared):
        line = numbers[bisect_right(starts, leaf.start) - 1]
        yield from _leaf_blocks(leaf, line)


def _leaf_blocks(leaf: Leaf, line: int) -> Iterator[Block]:
    if leaf.kind == "html":
        for block in html_blocks(leaf.text):
            level = block.level + (0 if block.kind == "heading" else leaf.level)
            yield replace(block, line=line + block.line - 1, level=level)
    elif leaf.kind == "code":
        language = match[0] if (match := _LANGUAGE.match(leaf.language)) else ""
        if code := leaf.text.strip("\n"):
            yield fenced_block(code, language, line, level=leaf.level)
    elif leaf.kind == "table":
        rows = table(leaf.rows, line, level=leaf.level)
        yield from () if rows is None else (rows,)
    elif leaf.text:
        yield from _prose(leaf, line)


def _prose(leaf: Leaf, line: int) -> Iterator[Block]:
    if leaf.kind == "heading" and not leaf.quote and not leaf.marker:
        yield heading(" ".join(leaf.text.split()), leaf.level, line)
    elif leaf.marker:
        yield item(leaf.text, leaf.marker, line, leaf.level, is_first=not leaf.follows_item)
    else:
        kind: Kind = "quote" if leaf.quote else "paragraph"
        level = 0 if leaf.kind == "heading" else leaf.level
        yield Block(kind, leaf.text, line, level)
