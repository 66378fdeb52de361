"""Pictures of pages, with boxes in their places."""

import io

import pytest
from PIL import Image

from core.documents.errors import UnusableFile
from core.documents.isolation import ParserPool
from core.documents.parsing.pdf.document import parse_pdf
from core.documents.picture import MAX_EDGE_PX, picture_of
from tests.unit.core.documents.pdf.files import HARBOUR, canvas, paragraph, story

BLACK = 100


def _dark_box(png: bytes) -> tuple[int, int, int, int]:
    """Return the box around all dark pixels."""
    grey = Image.open(io.BytesIO(png)).convert("L")
    box = grey.point(lambda value: 255 if value < BLACK else 0).getbbox()
    assert box is not None
    return box


def test_the_box_of_a_block_is_around_its_text() -> None:
    content = canvas(lambda on: on.drawString(100, 700, "The harbour is nine fathoms deep."))
    [block] = parse_pdf(content).blocks
    assert block.box is not None
    picture = picture_of(content, 1)
    expected = [edge * picture.scale for edge in block.box]
    left, top, right, bottom = _dark_box(picture.png)
    slack = 12 * picture.scale
    assert [left, top, right, bottom] == pytest.approx(expected, abs=slack)


def test_a_large_page_has_a_bounded_picture() -> None:
    picture = picture_of(canvas(lambda on: on.drawString(9, 9, "X"), size=(9000, 3000)), 1)
    assert Image.open(io.BytesIO(picture.png)).size == (MAX_EDGE_PX, MAX_EDGE_PX // 3)


@pytest.mark.parametrize("page", [0, 2])
def test_a_page_that_is_not_there(page: int) -> None:
    with pytest.raises(UnusableFile, match="1 pages"):
        picture_of(story(paragraph(HARBOUR)), page)


def test_a_picture_comes_from_a_process_as_well() -> None:
    pool, content = ParserPool(1), story(paragraph(HARBOUR))
    try:
        assert pool.picture(content, 1) == picture_of(content, 1)
        with pytest.raises(UnusableFile):
            pool.picture(b"no PDF", 1)
        assert pool.parse(content, "a.pdf").blocks
    finally:
        pool.close()
