"""Word documents: headings by their styles, paragraphs, lists, notes and tables, in order."""

from collections.abc import Iterator, Sequence
from typing import Any

from docx import Document

from core.documents.errors import UnusableFile
from core.documents.model import Block, ParsedDocument, heading, item, table
from core.documents.parsing.archive import open_archive
from core.documents.parsing.docx.styles import Numbering, Styles
from core.documents.parsing.docx.words import (
    MC,
    W,
    all_words,
    boxes_in,
    note_ids,
    notes_of,
    words_of,
)

_WRAPPERS = frozenset(
    {f"{W}sdt", f"{W}sdtContent", f"{W}customXml", f"{W}ins", f"{W}moveTo"}
    | {f"{MC}AlternateContent", f"{MC}Choice"}
)
"""Elements that are read as what they hold; `Fallback` repeats a `Choice`."""
_CONTENTS = ("toc ", "toc heading", "table of figures")
"""Beginnings of the names of styles of a table of contents."""


def parse_docx(content: bytes) -> ParsedDocument:
    """Return a document's title and blocks; a block has no line.

    Raises:
        UnusableFile: the content is no Word document, encrypted, or expands to too much.
    """
    archive = open_archive(content, "DOCX")
    try:
        document = Document(archive)
        blocks = tuple(_Reader(document).blocks(document.element.body))
        title = document.core_properties.title.strip()
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        raise UnusableFile(f"The DOCX file is damaged: {error}"[:300]) from error
    first = next((block.title for block in blocks if block.kind == "heading"), None)
    return ParsedDocument(title or first, blocks)


class _Reader:
    """A pass over the body; each text box and note follows the paragraph that it hangs on."""

    def __init__(self, document: Any) -> None:
        self._styles = Styles(document)
        self._numbering = Numbering(document)
        self._notes = notes_of(document)
        self._is_in_list = False

    def blocks(self, parent: Any) -> Iterator[Block]:
        for child in parent:
            if child.tag == f"{W}p":
                yield from self._paragraph(child)
            elif child.tag == f"{W}tbl":
                self._is_in_list = False
                yield from self._table(child)
            elif child.tag in _WRAPPERS:
                yield from self.blocks(child)

    def _paragraph(self, paragraph: Any) -> Iterator[Block]:
        block = self._block(paragraph)
        if block is not None:
            self._is_in_list = block.kind == "item"
            yield block
        for box in boxes_in(paragraph):
            yield from self.blocks(box)
        level = 0 if block is None or block.kind != "item" else block.level
        yield from self._note_blocks(paragraph, level)

    def _note_blocks(self, element: Any, level: int = 0) -> Iterator[Block]:
        """Yield the footnotes and endnotes that an element refers to."""
        for name in note_ids(element):
            if words := self._notes.get(name):
                yield Block("paragraph", words, 0, level)

    def _block(self, paragraph: Any) -> Block | None:
        words = words_of(paragraph)
        style = self._styles.of(paragraph)
        if not words or style.name.startswith(_CONTENTS):
            return None
        if style.heading is not None:
            return heading(words, style.heading, 0)
        if style.numbering is not None:
            level, marker = self._numbering.next(*style.numbering)
            return item(words, marker, 0, level, is_first=not self._is_in_list)
        return Block("quote" if "quote" in style.name else "paragraph", words, 0)

    def _table(self, element: Any) -> Iterator[Block]:
        """Yield a table, or the blocks in it if it has one column, as a frame has."""
        rows = list(_children(element, "tr"))
        cells = [list(_children(row, "tc")) for row in rows if not _is_deleted(row)]
        if all(len(row) < 2 for row in cells):
            for row in cells:
                for cell in row:
                    yield from self.blocks(cell)
            return
        texts: list[list[str]] = []
        for row in cells:
            texts.append(_row(row, texts[-1] if texts else []))
        block = table(texts, 0)
        if block is not None:
            yield block
        for row in cells:
            for cell in row:
                yield from self._note_blocks(cell)


def _children(element: Any, name: str) -> Iterator[Any]:
    """Yield the rows of a table or the cells of a row, those in content controls too."""
    for child in element:
        if child.tag == f"{W}{name}":
            yield child
        elif child.tag in _WRAPPERS:
            yield from _children(child, name)


def _is_deleted(row: Any) -> bool:
    return row.find(f"{W}trPr/{W}del") is not None


def _row(cells: Sequence[Any], above: Sequence[str]) -> list[str]:
    """Return the texts of a row: of merged columns the first has it, of merged rows each."""
    texts: list[str] = []
    for cell in cells:
        merge = cell.find(f"{W}tcPr/{W}vMerge")
        goes_on = merge is not None and merge.get(f"{W}val", "continue") == "continue"
        if goes_on and len(texts) < len(above):
            texts.append(above[len(texts)])
        else:
            texts.append(all_words(cell))
        span = cell.find(f"{W}tcPr/{W}gridSpan")
        width = int(span.get(f"{W}val", "1")) if span is not None else 1
        texts.extend([""] * (min(width, 64) - 1))
    return texts
