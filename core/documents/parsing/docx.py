"""Word documents: headings by their styles, paragraphs, lists and tables, in order."""

import re
from collections.abc import Iterator

from docx import Document
from docx.document import Document as WordDocument
from docx.table import Table
from docx.text.paragraph import Paragraph

from core.documents.errors import UnusableFile
from core.documents.model import Block, ParsedDocument, heading, item, table
from core.documents.parsing.archive import open_archive

_HEADING = re.compile(r"heading (\d)$", re.IGNORECASE)
_NUMBERED = re.compile(r"number", re.IGNORECASE)
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def parse_docx(content: bytes) -> ParsedDocument:
    """Return a document's title and blocks; a block has no line.

    Raises:
        UnusableFile: the content is no Word document, encrypted, or expands to too much.
    """
    archive = open_archive(content, "DOCX")
    try:
        document = Document(archive)
        blocks = tuple(_blocks(document))
        title = document.core_properties.title.strip()
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        raise UnusableFile(f"The DOCX file is damaged: {error}"[:300]) from error
    first = next((block.title for block in blocks if block.kind == "heading"), None)
    return ParsedDocument(title or first, blocks)


def _blocks(document: WordDocument) -> Iterator[Block]:
    in_list = False
    for part in document.iter_inner_content():
        if isinstance(part, Table):
            yield from _table(part)
            in_list = False
        elif words := " ".join(part.text.split()):
            block = _paragraph(part, words, is_first=not in_list)
            in_list = block.kind == "item"
            yield block


def _paragraph(paragraph: Paragraph, words: str, *, is_first: bool) -> Block:
    style = (paragraph.style.name if paragraph.style is not None else "") or ""
    if style.lower() == "title":
        return heading(words, 1, 0)
    if match := _HEADING.match(style):
        return heading(words, int(match[1]), 0)
    level = _list_level(paragraph, style)
    if level is None:
        return Block("quote" if "quote" in style.lower() else "paragraph", words, 0)
    marker = "1. " if _NUMBERED.search(style) else "- "
    return item(words, marker, 0, level, is_first=is_first)


def _list_level(paragraph: Paragraph, style: str) -> int | None:
    """Return the depth of the list that a paragraph is in, from 1, or `None`."""
    numbering = paragraph._p.find(f"{_W}pPr/{_W}numPr/{_W}ilvl")  # noqa: SLF001 - no public way
    if numbering is not None:
        return min(int(numbering.get(f"{_W}val", "0")), 8) + 1
    if style.lower().startswith("list"):
        return int(style[-1]) if style[-1].isdigit() and style[-1] != "0" else 1
    return None


def _table(part: Table) -> Iterator[Block]:
    """Yield a table; a cell that spans columns is in the first of them alone."""
    rows = []
    for row in part.rows:
        cells, seen = [], set()
        for cell in row.cells:
            cells.append("" if id(cell._tc) in seen else cell.text)  # noqa: SLF001 - as above
            seen.add(id(cell._tc))  # noqa: SLF001
        rows.append(cells)
    block = table(rows, 0) if rows else None
    yield from () if block is None else (block,)
