"""Splits a parsed document into the pieces that become its chunks.

A heading begins a piece, and stays with its section, and a front matter with what follows. Blocks
of a section are joined up to the target size, those of a PDF within a page and a column. A block
that is too long is split as its kind allows: a list at its items, a code block at its lines and a
table at its rows, each part under the block's header; prose at its sentences, and a sentence at its
words.
"""

from collections.abc import Iterable, Iterator, Sequence

from core.documents.breaking import break_group
from core.documents.model import Block, ParsedDocument, Piece, join_blocks
from core.domain.place import Box, BoxedText, Place, union

TARGET_CHARS = 800
"""About 130 English words: one topic, and short enough to quote whole."""
MAX_CHARS = 1200
_ABOVE_BODY = ("front_matter", "heading")


def split(
    document: ParsedDocument,
    *,
    title: str | None = None,
    target_chars: int = TARGET_CHARS,
    max_chars: int = MAX_CHARS,
) -> list[Piece]:
    """Return the pieces in order, not empty, none longer than `max_chars`.

    Every word of the blocks is in a piece. `title`, else the document's own, is that of each place.
    `1 <= target_chars <= max_chars`.
    """
    packer = _Packer(title or document.title, target_chars, max_chars)
    for group in _groups(document.blocks):
        packer.add(group)
    packer.flush()
    return packer.pieces


def _groups(blocks: Iterable[Block]) -> Iterator[Sequence[Block]]:
    """Yield each top-level list item with all that belongs to it, and each other block alone."""
    group: list[Block] = []
    for block in blocks:
        belongs = block.kind != "heading" and block.level > (block.kind == "item")
        if group and not belongs:
            yield group
            group = []
        group.append(block)
        if not belongs and block.kind != "item":
            yield group
            group = []
    if group:
        yield group


class _Packer:
    """The pieces so far, and the blocks of the next one."""

    def __init__(self, title: str | None, target_chars: int, max_chars: int) -> None:
        self.pieces: list[Piece] = []
        self._title = title
        self._target = target_chars
        self._max = max_chars
        self._path: list[Block] = []
        self._blocks: list[Block] = []
        self._size = 0
        self._has_body = False

    def add(self, group: Sequence[Block]) -> None:
        first = group[0]
        if first.kind == "heading":
            self._open_section(first)
        if self._has_body and _is_elsewhere(self._blocks[-1], first):
            self.flush()
        for part in self._parts(group):
            self._append(part, is_body=first.kind not in _ABOVE_BODY)

    def flush(self) -> None:
        if self._blocks:
            self.pieces.append(Piece(join_blocks(self._blocks), self._place()))
        self._blocks, self._size, self._has_body = [], 0, False

    def _open_section(self, heading: Block) -> None:
        if self._has_body:
            self.flush()
        while self._path and self._path[-1].level >= heading.level:
            self._path.pop()
        self._path.append(heading)

    def _parts(self, group: Sequence[Block]) -> Iterable[Block]:
        """Return the parts of a group that fit; what follows a heading leaves it room."""
        room = self._max
        if self._blocks and not self._has_body:
            room -= self._size + len(group[0].gap)
        if room <= self._max // 2 or room < _longest_word(group):
            room = self._max
        return break_group(group, min(self._target, room), room)

    def _append(self, part: Block, *, is_body: bool) -> None:
        limit = self._target if self._has_body else self._max
        size = self._size + len(part.gap) + len(part.text)
        if self._blocks and size > limit:
            self.flush()
            size = 0
        self._size = size if self._blocks else len(part.text)
        self._blocks.append(part)
        self._has_body |= is_body

    def _place(self) -> Place:
        first = next((b for b in self._blocks if b.kind not in _ABOVE_BODY), self._blocks[0])
        tables = dict.fromkeys(b.title for b in self._blocks if b.kind == "table" and b.title)
        return Place(
            title=self._title,
            headings=(*(heading.title for heading in self._path), *tables),
            page=first.page,
            box=_box(block.box for block in self._blocks if block.page == first.page),
            line=self._blocks[0].line or None,
            boxes=_boxes(self._blocks),
        )


def _is_elsewhere(above: Block, below: Block) -> bool:
    """Return whether a block is on another page, or begins higher on it, in another column."""
    if above.page != below.page:
        return True
    return above.box is not None and below.box is not None and below.box[1] < above.box[1]


def _longest_word(group: Sequence[Block]) -> int:
    """Return the length of the longest word in characters, 0 without words."""
    return max((len(word) for block in group for word in block.text.split()), default=0)


def _boxes(blocks: Sequence[Block]) -> tuple[BoxedText, ...]:
    """Return the boxes of the parts of the joined blocks; none if there is but one."""
    boxes: list[BoxedText] = []
    start = -len(blocks[0].gap)
    for block in blocks:
        start += len(block.gap)
        if block.box is not None:
            parts = block.boxes or (BoxedText(0, block.box),)
            boxes += (BoxedText(start + part.start, part.box) for part in parts)
        start += len(block.text)
    return tuple(boxes) if len(boxes) > 1 else ()


def _box(boxes: Iterable[Box | None]) -> Box | None:
    known = [box for box in boxes if box is not None]
    return union(known) if known else None
