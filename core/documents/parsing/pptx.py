"""Presentations: each slide is a page with its title, its texts in order, its tables and notes."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pptx import Presentation

from core.documents.errors import UnusableFile
from core.documents.model import Block, ParsedDocument, heading, item, table
from core.documents.parsing.archive import open_archive

_DEEPEST_GROUP = 20


def parse_pptx(content: bytes) -> ParsedDocument:
    """Return a presentation's title and blocks; a block's page is the number of its slide.

    Raises:
        UnusableFile: the content is no presentation, encrypted, or expands to too much.
    """
    archive = open_archive(content, "PPTX")
    try:
        presentation = Presentation(archive)
        blocks = tuple(
            replace(block, page=page)
            for page, slide in enumerate(presentation.slides, start=1)
            for block in _slide(slide)
        )
        title = presentation.core_properties.title.strip()
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        raise UnusableFile(f"The PPTX file is damaged: {error}"[:300]) from error
    first = next((block.title for block in blocks if block.kind == "heading"), None)
    has_title = title and title != "PowerPoint Presentation"
    return ParsedDocument(title if has_title else first, blocks)


def _slide(slide: Any) -> Iterator[Block]:
    title = slide.shapes.title
    if title is not None and (words := " ".join(title.text.split())):
        yield heading(words, 1, 0)
    for shape in slide.shapes:
        if title is None or shape.shape_id != title.shape_id:
            yield from _shape(shape, 0)
    if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None:
        yield from _frame(frame)


def _shape(shape: Any, depth: int) -> Iterator[Block]:
    if hasattr(shape, "shapes"):
        if depth < _DEEPEST_GROUP:
            for inner in shape.shapes:
                yield from _shape(inner, depth + 1)
    elif shape.has_text_frame:
        yield from _frame(shape.text_frame)
    elif getattr(shape, "has_table", False):
        rows = [[cell.text for cell in row.cells] for row in shape.table.rows]
        block = table(rows, 0) if rows else None
        yield from () if block is None else (block,)


def _frame(frame: Any) -> Iterator[Block]:
    """Yield the paragraphs of a text frame, as a list if there are several."""
    paragraphs = [(p.level, " ".join(p.text.split())) for p in frame.paragraphs]
    paragraphs = [(level, words) for level, words in paragraphs if words]
    for number, (level, words) in enumerate(paragraphs):
        if len(paragraphs) == 1:
            yield Block("paragraph", words, 0)
        else:
            yield item(words, "- ", 0, min(level, 8) + 1, is_first=number == 0)
