"""Breaks what is too long for one piece: lists at items, code and tables at lines, prose at words.

Every step is linear in the length of the text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from core.documents.model import BLANK_LINE, Block, join_blocks
from core.domain.text.sentences import Span, sentence_spans, trim

_LINE_END = re.compile(r"\r\n?|\n")
_WORD = re.compile(r"\S+")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_MOST_LEVELS = 12
"""Depth of lists from which on items are no longer kept together."""


def break_group(group: Sequence[Block], target: int, room: int) -> Iterator[Block]:
    """Yield the parts of a block, or of a list item with all that belongs to it.

    No part is longer than `room`; parts of prose aim at `target`.
    """
    if len(group) > 1:
        yield from _break_item(group, target, room, level=1)
    else:
        yield from _break_block(group[0], target, room)


def _break_item(group: Sequence[Block], target: int, room: int, *, level: int) -> Iterator[Block]:
    """Yield an item whole if it fits, else its own blocks and each of its items."""
    if sum(len(block.gap) + len(block.text) for block in group) - len(group[0].gap) <= room:
        yield replace(group[0], text=join_blocks(group)) if len(group) > 1 else group[0]
        return
    if len(group) == 1 or level > _MOST_LEVELS:
        for block in group:
            yield from _break_block(block, target, room)
        return
    for below in _items_below(group, level):
        yield from _break_item(below, target, room, level=level + 1)


def _items_below(group: Sequence[Block], level: int) -> Iterator[list[Block]]:
    """Yield the item's own blocks one by one, and each item of the next level with its own."""
    below: list[Block] = []
    for block in group:
        starts_item = block.kind == "item" and block.level == level + 1
        if below and (starts_item or block.level <= level):
            yield below
            below = []
        below.append(block)
    if below:
        yield below


def _break_block(block: Block, target: int, room: int) -> Iterator[Block]:
    whole = room if block.kind in ("code", "table", "item", "heading") else target
    if len(block.text) <= whole:
        yield block
        return
    block = replace(block, boxes=())
    if block.kind in ("code", "table"):
        yield from _break_lines(block, room)
    else:
        yield from _break_prose(block, room)


def _break_lines(block: Block, room: int) -> Iterator[Block]:
    """Yield groups of lines, each under the header and, for code, in a fence of its own."""
    header, body, closing = _without_header(block)
    space = room - len(header) - len(closing)
    if space < room // 2:  # the header is too long to be repeated
        header, body, closing, space = "", block.text, "", room
    line = block.line + header.count("\n")
    gap = block.gap
    for lines in _pack_lines(body.split("\n"), space):
        text = "\n".join(lines).rstrip() if header else "\n".join(lines).strip()
        if text.strip():
            yield replace(block, text=f"{header}{text}{closing}", line=line, gap=gap)
            gap = BLANK_LINE
        line += len(lines)


def _without_header(block: Block) -> tuple[str, str, str]:
    """Return the header to repeat with its line end, the lines below it, and the closing fence."""
    if not block.header:
        return "", block.text, ""
    body = block.text[len(block.header) :].removeprefix("\n")
    fence = _FENCE.match(block.header)
    if block.kind != "code" or fence is None:
        return f"{block.header}\n", body, ""
    above, _, last = body.rpartition("\n")
    is_closed = last.strip().startswith(fence[1]) and not last.strip().strip(fence[1][0])
    return f"{block.header}\n", above if is_closed else body, f"\n{fence[1]}"


def _pack_lines(lines: Iterable[str], space: int) -> Iterator[list[str]]:
    """Yield runs of lines that fit, ended at a blank line if there is one in the second half."""
    run: list[str] = []
    size = 0
    for line in (part for long in lines for part in _cut_line(long, space)):
        if run and size + 1 + len(line) > space:
            kept = _last_blank(run)
            yield run[:kept]
            run = run[kept:]
            size = sum(map(len, run)) + max(len(run) - 1, 0)
        size += len(line) + (1 if run else 0)
        run.append(line)
    if run:
        yield run


def _last_blank(run: Sequence[str]) -> int:
    """Return the number of lines to keep together: up to the last blank one, or all."""
    for index in range(len(run) - 1, len(run) // 2, -1):
        if not run[index].strip():
            return index + 1
    return len(run)


def _cut_line(line: str, space: int) -> Iterator[str]:
    """Yield the parts of a line, cut between words where that is possible."""
    if len(line) <= space:
        yield line
        return
    yield from (line[start:end] for start, end in _pack(_words(line, 0, len(line), space), space))


def _break_prose(block: Block, room: int) -> Iterator[Block]:
    """Yield sentences, and words of a sentence that is too long."""
    text = block.text
    reached, line = 0, block.line
    for start, end in _sentence_parts(text, room):
        gap = text[reached:start] if reached else block.gap
        line += len(_LINE_END.findall(text, reached, start))
        kind = block.kind if not reached else "paragraph"
        yield replace(block, kind=kind, text=text[start:end], gap=gap, line=line, header="")
        line += len(_LINE_END.findall(text, start, end))
        reached = end


def _sentence_parts(text: str, room: int) -> Iterator[Span]:
    start = 0
    ends = [end for _, end in sentence_spans(text)]
    for end in [*ends, len(text)]:
        span = trim(text, start, end)
        start = end
        if span[1] - span[0] > room:
            yield from _words(text, *span, room)
        elif span[0] < span[1]:
            yield span


def _words(text: str, start: int, end: int, room: int) -> Iterator[Span]:
    for word in _WORD.finditer(text, start, end):
        for first in range(word.start(), word.end(), room):
            yield first, min(first + room, word.end())


def _pack(spans: Iterable[Span], room: int) -> Iterator[Span]:
    """Yield neighbouring spans joined up to the room."""
    run: Span | None = None
    for start, end in spans:
        if run is not None and end - run[0] > room:
            yield run
            run = None
        run = (start if run is None else run[0], end)
    if run is not None:
        yield run
