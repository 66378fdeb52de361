"""The text within a box of a page, as a reader sees it, and the picture of the page."""

import re
import unicodedata
from collections import Counter
from ctypes import c_double
from pathlib import Path

from PIL import Image, ImageDraw
from pypdfium2 import PdfDocument, PdfPage, raw

from core.domain.place import Box

SCALE = 2
_INK = 128
_FINE = 1_000
_WORD = re.compile("[\u3040-\u9fff]|[^\\s\u3040-\u9fff]+")
"""A word, or a character of a script without spaces."""


def text_in(content: bytes, page: int, box: Box) -> str:
    """Return the text in a box that is measured from the shown page's top left corner.

    pdfium's own conversion from a picture to the page knows of its rotation and crop box.
    """
    document = PdfDocument(content)
    shown = document[page - 1]
    corners = [_on_page(shown, x, y) for x, y in (box[:2], box[2:])]
    (left, right), (bottom, top) = (sorted(edges) for edges in zip(*corners, strict=True))
    text: str = shown.get_textpage().get_text_bounded(left, bottom, right, top)
    document.close()
    return text


def _on_page(page: PdfPage, x: float, y: float) -> tuple[float, float]:
    width, height = (round(edge * _FINE) for edge in page.get_size())
    left, top = c_double(), c_double()
    place = (round(x * _FINE), round(y * _FINE))
    assert raw.FPDF_DeviceToPage(page, 0, 0, width, height, 0, *place, left, top)
    return left.value, top.value


def letters(text: str) -> str:
    """Return the letters and digits of a text, without case, spaces and hyphens."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def has_words(seen: str, text: str) -> bool:
    """Return whether a text is in what is seen, or else each of its words as often at least.

    pdfium gives lines in the order in which the file draws them.
    """
    if letters(text) in letters(seen):
        return True
    joined = re.sub(r"[-\x02\ufffe]\s*\n", "", seen)
    words, known = (Counter(filter(None, map(letters, _WORD.findall(t)))) for t in (text, joined))
    return words <= known


def draw(content: bytes, page: int, box: Box, path: Path) -> None:
    """Write the picture of a page with the box drawn on it."""
    picture = _picture(content, page)
    ImageDraw.Draw(picture).rectangle([edge * SCALE for edge in box], outline="red", width=2)
    picture.save(path)


def ink(content: bytes, page: int, box: Box | None = None) -> int:
    """Return the number of dark pixels of a page, or within a box of it."""
    picture = _picture(content, page).convert("L")
    if box is not None:
        left, top, right, bottom = (edge * SCALE for edge in box)
        picture = picture.crop((int(left) - 1, int(top) - 1, int(right) + 2, int(bottom) + 2))
    return sum(picture.histogram()[:_INK])


def _picture(content: bytes, page: int) -> Image.Image:
    document = PdfDocument(content)
    picture: Image.Image = document[page - 1].render(scale=SCALE).to_pil()
    document.close()
    return picture
