"""A text as blocks that keep its characters, cut along its Markdown.

Every character that is not white space is in a block. A text without Markdown is paragraphs.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.documents.model import MAX_HEADING_CHARS, Block, Kind, ParsedDocument
from core.documents.parsing.front_matter import front_matter_lines
from core.documents.parsing.markdown.leaves import Leaf, markdown_leaves
from core.domain.text.sentences import trim

_LINE_END = re.compile(r"\r\n?|\n")
_FENCE = re.compile(r"(`{3,}|~{3,})[^\r\n]*")
_TABLE_HEADER = re.compile(r"[^\r\n]*(?:\r\n?|\n)[^\r\n]*")


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the source, in code points."""

    start: int
    end: int
    leaf: Leaf | None


def parse_verbatim(text: str) -> ParsedDocument:
    """Return a text's blocks; the document has no title of its own.

    `gap + text` of the blocks, in order, is the text without the white space at its ends.
    """
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
    above = [*starts, len(text)][front_matter_lines(_LINE_END.split(text))]
    blocks: list[Block] = []
    reached = 0
    for part in _whole(text, _parts(text, above)):
        start, end = trim(text, part.start, part.end)
        line = bisect_right(starts, start)
        blocks.append(_block(text[start:end], text[reached:start], line, part.leaf))
        reached = end
    return ParsedDocument(None, tuple(blocks))


def _parts(text: str, above: int) -> Iterator[_Part]:
    """Yield the leaves in order, disjoint; those of a quote together."""
    source = text[above:].encode("utf-8", "replace").decode()  # without lone surrogates
    offsets = _Offsets(source)
    quote: tuple[int, int] | None = None
    for leaf in markdown_leaves(source):
        if leaf.quote is not None and leaf.quote == quote:
            continue
        quote = leaf.quote
        start, end = leaf.quote or (leaf.start, leaf.end)
        yield _Part(above + offsets(start), above + offsets(end), leaf)


def _whole(text: str, parts: Iterable[_Part]) -> Iterator[_Part]:
    """Yield the parts, and what the parser left out between them, without empty ones."""
    reached = 0
    for part in [*parts, _Part(len(text), len(text), None)]:
        start = max(part.start, reached)
        for found in (_Part(reached, start, None), _Part(start, part.end, part.leaf)):
            if text[found.start : found.end].strip():
                yield found
        reached = max(part.end, reached)


def _block(text: str, gap: str, line: int, leaf: Leaf | None) -> Block:
    if leaf is None:
        return Block("paragraph", text, line, gap=gap)
    if leaf.kind == "heading" and not leaf.quote and not leaf.marker:
        title = " ".join(leaf.text.split())[:MAX_HEADING_CHARS]
        return Block("heading", text, line, leaf.level, title=title, gap=gap)
    level = 0 if leaf.kind == "heading" else leaf.level
    kind, header = _kind(text, leaf)
    return Block(kind, text, line, level, header=header, gap=gap)


def _kind(text: str, leaf: Leaf) -> tuple[Kind, str]:
    """Return a block's kind and the lines to repeat; indented code is read as prose is."""
    if leaf.marker:
        return "item", ""
    if leaf.quote:
        return "quote", ""
    if leaf.kind == "code" and (fence := _FENCE.match(text)):
        return "code", fence[0]
    if leaf.kind == "table" and (header := _TABLE_HEADER.match(text)):
        return "table", header[0]
    return "paragraph", ""


class _Offsets:
    """Maps offsets in the UTF-8 of a text to code points; asked in ascending order, mostly."""

    def __init__(self, text: str) -> None:
        self._encoded = text.encode()
        self._is_ascii = len(self._encoded) == len(text)
        self._at = (0, 0)

    def __call__(self, offset: int) -> int:
        if self._is_ascii:
            return offset
        place, points = self._at
        if offset >= place:
            points += len(self._encoded[place:offset].decode(errors="replace"))
        else:
            points -= len(self._encoded[offset:place].decode(errors="replace"))
        self._at = (offset, points)
        return points
