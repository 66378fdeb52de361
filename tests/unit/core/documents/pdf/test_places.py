"""The text in each chunk's box is the chunk's, whatever the page's boxes, rotation and writing."""

import re
from collections.abc import Callable

import pytest

from core.documents.kinds import parse_content
from core.documents.splitting import split
from tests.unit.core.documents.pdf import files
from tests.unit.core.documents.pdf.looking import has_words, ink, letters, text_in


@pytest.mark.parametrize("make", files.READABLE.values(), ids=files.READABLE)
def test_the_text_in_the_box_of_a_chunk_is_its_text(make: Callable[[], bytes]) -> None:
    content = make()
    pieces = split(parse_content(content, "a.pdf"))
    assert pieces
    for piece in pieces:
        assert piece.place.page is not None
        assert piece.place.box is not None
        seen = text_in(content, piece.place.page, piece.place.box)
        blocks = re.sub(r"[|-]", " ", piece.text).split("\n\n")
        assert all(has_words(seen, block) for block in blocks), seen


@pytest.mark.parametrize("make", files.READABLE.values(), ids=files.READABLE)
def test_the_text_in_each_of_its_boxes_is_its_part(make: Callable[[], bytes]) -> None:
    content = make()
    for piece in split(parse_content(content, "a.pdf")):
        boxes = piece.place.boxes
        ends = [*(part.start for part in boxes), len(piece.text)][1:]
        for part, end in zip(boxes, ends, strict=True):
            assert piece.place.page is not None
            seen = text_in(content, piece.place.page, part.box)
            text = re.sub(r"[|-]", " ", piece.text[part.start : end])
            assert has_words(seen, text), (text, seen)


def test_sentences_and_rows_have_boxes_of_their_own() -> None:
    content = files.READABLE["ruled table"]()
    [table] = [p for p in split(parse_content(content, "a.pdf")) if "| --- |" in p.text]
    lines = [line for line in table.text.split("\n") if line.startswith("|")]
    rows = [part for part in table.place.boxes if table.text[part.start] == "|"]
    assert len(rows) == len(lines) - 1  # the header and the line below it are one
    bottoms, tops = zip(*((part.box[3], part.box[1]) for part in rows), strict=True)
    assert all(above <= below for above, below in zip(bottoms, tops[1:], strict=False))


@pytest.mark.parametrize(
    "name", ["rotated by 90", "rotated by 180", "rotated by 270", "cropped", "sideways", "form"]
)
def test_no_ink_is_outside_of_the_boxes_of_a_page(name: str) -> None:
    content = files.READABLE[name]()
    boxes = [piece.place.box for piece in split(parse_content(content, "a.pdf"))]
    within = sum(ink(content, 1, box) for box in boxes)
    assert within == pytest.approx(ink(content, 1), rel=0.02)


def test_a_piece_is_of_one_page() -> None:
    content = files.over_pages()
    pieces = split(parse_content(content, "a.pdf"))
    assert {piece.place.page for piece in pieces} == {1, 2}


def test_what_is_outside_of_the_page_is_not_read() -> None:
    texts = [block.text for block in parse_content(files.cropped(), "a.pdf").blocks]
    assert letters(" ".join(texts)) == letters(files.HARBOUR)


def test_a_document_of_500_pages() -> None:
    content = files.book(500)
    blocks = parse_content(content, "a.pdf").blocks
    assert len(blocks) == 1000
    assert {block.page for block in blocks} == set(range(1, 501))
