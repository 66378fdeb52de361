"""PDF: paragraphs and headings with their pages and boxes, from the text that the file has."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import hypot
from statistics import median

import pypdfium2
from pypdfium2 import PdfDocument, PdfiumError, raw

from core.documents.errors import UnusableFile
from core.documents.model import Block, ParsedDocument, heading
from core.domain.place import Box
from core.domain.sentences import join_lines

_MOST_PAGES = 10_000
_HEADING_SIZE = 1.15
"""The ratio to the body's font size from which on a short line is a heading."""
_MOST_HEADING_CHARS = 200
_REPEATED = 0.5
"""The share of pages from which on the first or last line is a running head or foot."""
_FEWEST_PAGES = 4
_BULLET = re.compile(r"[•‣▪◦●■–-]\s+")
_DIGITS = re.compile(r"\d+")
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010\ufffe]\n(?=[^\W\d_A-Z])")
_JOINED = "\ufffe"
"""The character that pdfium puts for a hyphen and line end within a word."""
_FILE_NAME = re.compile(
    r"\.(?:docx?|pptx?|xlsx?|pdf|tex|dvi|indd|qxd)$|^(?:untitled|microsoft)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    page: int
    box: Box
    size: float


def parse_pdf(content: bytes) -> ParsedDocument:
    """Return a document's title and blocks.

    Raises:
        UnusableFile: the content is no PDF, encrypted, damaged, or without text.
    """
    if b"%PDF-" not in content[:1024]:
        raise UnusableFile("The file is not a PDF.")
    try:
        document = PdfDocument(content)
    except PdfiumError as error:
        raise UnusableFile(_reason(error)) from None
    try:
        if not 0 < len(document) <= _MOST_PAGES:
            raise UnusableFile(
                f"The PDF has {len(document)} pages; 1 to {_MOST_PAGES} can be read."
            )
        lines = [line for page in range(len(document)) for line in _lines(document, page)]
        title = " ".join(document.get_metadata_value("Title").split())
    except PdfiumError as error:
        raise UnusableFile(f"The PDF is damaged: {error}"[:300]) from None
    finally:
        document.close()
    if not lines:
        raise UnusableFile("The PDF has no text; scanned pages need text recognition first.")
    blocks = tuple(_blocks(_without_running_lines(lines, lines[-1].page)))
    first = next((block.title for block in blocks if block.kind == "heading"), None)
    return ParsedDocument(title if title and not _FILE_NAME.search(title) else first, blocks)


def _reason(error: PdfiumError) -> str:
    if error.err_code == raw.FPDF_ERR_PASSWORD:
        return "The PDF is encrypted; only one without a password can be read."
    return "The PDF is damaged, or cut off."


def _lines(document: PdfDocument, index: int) -> Iterator[_Line]:
    """Yield the lines of a page, each in the box of its characters."""
    page = document[index]
    textpage = page.get_textpage()
    try:
        left, _, _, top = page.get_cropbox()
        text = textpage.get_text_range()
        start = 0
        for line in text.splitlines(keepends=True):
            words = line.strip()
            if words:
                first = start + len(line) - len(line.lstrip())
                box = _box(textpage, first, len(words), left, top)
                whole = words.replace(_JOINED, "")
                yield _Line(whole, index + 1, box, _font_size(textpage, first))
            start += len(line)
    finally:
        textpage.close()
        page.close()


def _font_size(textpage: pypdfium2.PdfTextPage, index: int) -> float:
    """Return the size of a character as the page shows it."""
    matrix = raw.FS_MATRIX()
    size = float(raw.FPDFText_GetFontSize(textpage.raw, index))
    is_known = raw.FPDFText_GetMatrix(textpage.raw, index, matrix)
    return size * hypot(matrix.c, matrix.d) if is_known else size


def _box(textpage: pypdfium2.PdfTextPage, start: int, length: int, left: float, top: float) -> Box:
    """Return the union of the rectangles of some characters, from the page's top left corner."""
    boxes = [textpage.get_rect(n) for n in range(textpage.count_rects(start, length))]
    if not boxes:
        boxes = [textpage.get_charbox(start)]
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return min(lefts) - left, top - max(tops), max(rights) - left, top - min(bottoms)


def _without_running_lines(lines: Sequence[_Line], pages: int) -> Iterator[_Line]:
    """Yield the lines but those that begin or end most pages, numbers aside."""
    by_page = [list(group) for _, group in groupby(lines, key=lambda line: line.page)]
    ends = Counter(
        text for page in by_page for text in {_form(line) for line in (page[0], page[-1])}
    )
    most = max(_REPEATED * pages, _FEWEST_PAGES - 1)
    for page in by_page:
        for place, line in enumerate(page):
            if place not in (0, len(page) - 1) or ends[_form(line)] <= most:
                yield line


def _form(line: _Line) -> str:
    return _DIGITS.sub("0", line.text)


def _blocks(lines: Iterable[_Line]) -> Iterator[Block]:
    known = list(lines)
    if not known:
        return
    weights = [size for line in known for size in [line.size] * (1 + len(line.text) // 20)]
    body = median(weights)
    sizes = sorted({round(line.size, 1) for line in known if _is_large(line, body)}, reverse=True)
    for group in _paragraphs(known):
        box = _union(line.box for line in group)
        text = _HYPHEN.sub("", "\n".join(line.text for line in group))
        words = " ".join(join_lines(text).split())
        if _is_large(group[0], body) and len(words) <= _MOST_HEADING_CHARS:
            level = min(sizes.index(round(group[0].size, 1)) + 1, 6)
            yield replace(heading(words, level, 0), page=group[0].page, box=box)
        else:
            yield Block("paragraph", words, 0, page=group[0].page, box=box)


def _is_large(line: _Line, body: float) -> bool:
    return line.size >= _HEADING_SIZE * body


def _paragraphs(lines: Iterable[_Line]) -> Iterator[list[_Line]]:
    group: list[_Line] = []
    for line in lines:
        if group and not _goes_on(group[-1], line):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _goes_on(above: _Line, line: _Line) -> bool:
    """Return whether a line is of the same paragraph as the one above it."""
    height = max(above.size, 1.0)
    gap = line.box[1] - above.box[3]
    same_size = abs(line.size - above.size) <= 0.1 * above.size
    return (
        line.page == above.page
        and same_size
        and -height < gap < 0.75 * height
        and not _BULLET.match(line.text)
    )


def _union(boxes: Iterable[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
