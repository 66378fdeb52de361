"""Presentations: each slide is a page with its title, texts, tables, charts and notes in order."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.oxml import parse_xml

from core.documents.errors import UnusableFile
from core.documents.model import Block, ParsedDocument, heading, item, table
from core.documents.parsing.archive import open_archive

_DEEPEST_GROUP = 20
_RUNNING = frozenset(
    {PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.HEADER}
    | {PP_PLACEHOLDER.SLIDE_NUMBER}
)
"""Placeholders that each slide repeats."""
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_RELATIONS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


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
    for choice in slide.shapes._spTree.iterfind(f"{_MC}AlternateContent/{_MC}Choice"):  # noqa: SLF001
        yield from _lines(choice)
    if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None:
        yield from _frame(frame)


def _shape(shape: Any, depth: int) -> Iterator[Block]:
    if hasattr(shape, "shapes"):
        if depth < _DEEPEST_GROUP:
            for inner in shape.shapes:
                yield from _shape(inner, depth + 1)
    elif shape.is_placeholder and shape.placeholder_format.type in _RUNNING:
        return
    elif shape.has_text_frame:
        yield from _frame(shape.text_frame)
    elif getattr(shape, "has_table", False):
        yield from _table([[cell.text for cell in row.cells] for row in shape.table.rows])
    elif getattr(shape, "has_chart", False):
        yield from _table(list(_values(shape.chart_part.blob)))
    else:
        yield from _diagram(shape)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[Block]:
    block = table(rows, 0) if rows else None
    yield from () if block is None else (block,)


def _values(content: bytes) -> Iterator[list[str]]:
    """Yield the values of a chart, a row for each category below the names of the series."""
    series = list(parse_xml(content).iter(f"{_CHART}ser"))
    categories: dict[int, str] = {}
    for one in reversed(series):
        categories |= _points(one, "cat", "xVal")
    columns = [_points(one, "val", "yVal") for one in series]
    yield ["", *(one.findtext(f"{_CHART}tx//{_CHART}v") or "" for one in series)]
    for place in sorted({*categories, *(place for column in columns for place in column)}):
        values = (column.get(place, "") for column in columns)
        yield [categories.get(place, ""), *map(_number, values)]


def _points(series: Any, *names: str) -> dict[int, str]:
    """Return the values of the first of some parts of a series that is there, by their places."""
    for name in names:
        points = series.findall(f"{_CHART}{name}//{_CHART}pt")
        if points:
            return {
                int(point.get("idx", "0")): point.findtext(f"{_CHART}v") or "" for point in points
            }
    return {}


def _number(text: str) -> str:
    """Return a number without the digits that only its binary form has."""
    try:
        return f"{float(text):.15g}"
    except ValueError:
        return text


def _diagram(shape: Any) -> Iterator[Block]:
    """Yield the texts of a SmartArt diagram, which are in a part of their own."""
    ids = shape._element.find(f".//{_DIAGRAM}relIds")  # noqa: SLF001 - no public way
    if ids is not None:
        part = shape.part.related_part(ids.get(f"{_RELATIONS}dm"))
        for point in parse_xml(part.blob).iter(f"{_DIAGRAM}pt"):
            yield from _lines(point)


def _lines(element: Any) -> Iterator[Block]:
    """Yield the paragraphs of DrawingML in an element, as items of a list."""
    for paragraph in element.iter(f"{_A}p"):
        texts = (text.text or "" for text in paragraph.iter(f"{_A}t", f"{_M}t"))
        if words := " ".join("".join(texts).split()):
            yield item(words, "- ", 0, 1, is_first=False)


def _frame(frame: Any) -> Iterator[Block]:
    """Yield the paragraphs of a text frame, as a list if there are several."""
    paragraphs = [(p.level, " ".join(p.text.split())) for p in frame.paragraphs]
    paragraphs = [(level, words) for level, words in paragraphs if words]
    for number, (level, words) in enumerate(paragraphs):
        if len(paragraphs) == 1:
            yield Block("paragraph", words, 0)
        else:
            yield item(words, "- ", 0, min(level, 8) + 1, is_first=number == 0)
