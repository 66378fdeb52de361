"""PDF, DOCX and PPTX: texts, places, and files that are broken or hostile."""

import re

import pytest

from core.documents.errors import UnusableFile
from core.documents.kinds import parse_content
from core.documents.splitting import split
from core.domain.place import Place
from tests.unit.core.documents import samples

PORT = [
    ("The Port", 24, 700),
    ("It is nine fathoms deep, and dhows can an-", 11, 660),
    ("chor in it all year.", 11, 646),
    ("A second paragraph stands below.", 11, 610),
]


def test_pdf_blocks_have_pages_and_boxes() -> None:
    document = parse_content(samples.pdf(PORT, [("Ships leave for Lanka.", 11, 700)]), "a.pdf")
    assert document.title == "The Port"
    assert [(block.kind, block.text, block.page) for block in document.blocks] == [
        ("heading", "# The Port", 1),
        ("paragraph", "It is nine fathoms deep, and dhows can anchor in it all year.", 1),
        ("paragraph", "A second paragraph stands below.", 1),
        ("paragraph", "Ships leave for Lanka.", 2),
    ]
    left, top, right, bottom = document.blocks[1].box or (0, 0, 0, 0)
    assert 71 <= left <= 74
    assert 792 - 660 - 11 <= top <= 792 - 660
    assert 792 - 646 <= bottom <= 792 - 646 + 5
    assert 200 < right < 400


def test_a_font_size_is_that_of_the_page() -> None:
    scaled = samples.pdf(PORT).replace(b"/F1 24 Tf 72 700 Td", b"/F1 1 Tf 24 0 0 24 72 700 Tm")
    assert parse_content(scaled, "a.pdf").title == "The Port"


def test_pdf_pieces_are_of_one_page() -> None:
    document = parse_content(samples.pdf(PORT, [("Ships leave for Lanka.", 11, 700)]), "a.pdf")
    places = [piece.place for piece in split(document)]
    assert [(place.page, place.headings, place.line) for place in places] == [
        (1, ("The Port",), None),
        (2, ("The Port",), None),
    ]
    assert all(place.box for place in places)


def test_a_pdf_title_is_its_own_unless_it_is_a_file_name() -> None:
    assert parse_content(samples.pdf(PORT, title="Harbours"), "a.pdf").title == "Harbours"
    assert parse_content(samples.pdf(PORT, title="port.docx"), "a.pdf").title == "The Port"


def test_running_heads_and_feet_are_dropped() -> None:
    pages = [
        [("Harbours of the world", 9, 760), (f"Text {n} is here.", 11, 700), (f"Page {n}", 9, 30)]
        for n in range(6)
    ]
    document = parse_content(samples.pdf(*pages), "a.pdf")
    assert [block.text for block in document.blocks] == [f"Text {n} is here." for n in range(6)]


def test_docx() -> None:
    document = parse_content(samples.docx(), "a.docx")
    assert document.title == "The Port"
    assert [block.text for block in document.blocks] == [
        "# The Port",
        "It is nine fathoms deep.",
        "# Ships",
        "- Dhows",
        "- Junks",
        "| Port | Depth |\n| --- | --- |\n| Oslo | 9 m |",
    ]


def test_pptx() -> None:
    document = parse_content(samples.pptx(), "a.pptx")
    assert document.title == "The Port"
    assert [(block.text, block.page) for block in document.blocks] == [
        ("# The Port", 1),
        ("- Deep", 1),
        ("- Wide", 1),
        ("# Ships", 2),
        ("Dhows leave.", 2),
        ("Say it slowly.", 2),
    ]
    assert split(document)[1].place == Place("The Port", ("Ships",), page=2)


BOMB = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'
DEEP = b"<w:p>" * 10_000
DOCUMENT = "word/document.xml"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.pdf", b"no", "not a PDF"),
        ("a.pdf", b"%PDF-1.4\n%%EOF", "damaged, or cut off"),
        ("a.pdf", samples.pdf(PORT)[:200], "damaged, or cut off"),
        ("a.pdf", samples.pdf([]), "no text"),
        ("a.txt", samples.pdf(PORT), "is a PDF"),
        ("a.docx", b"no", "not a DOCX file"),
        ("a.docx", samples.docx()[:5000], "not a DOCX file"),
        ("a.docx", b"\xd0\xcf\x11\xe0" + bytes(100), "encrypted"),
        ("a.docx", samples.pptx(), "damaged"),
        ("a.docx", samples.with_part(samples.docx(), DOCUMENT, BOMB), "damaged"),
        ("a.docx", samples.with_part(samples.docx(), DOCUMENT, DEEP), "damaged"),
        ("a.docx", samples.with_part(samples.docx(), DOCUMENT, bytes(600 << 20)), "more than 512"),
        ("a.pptx", samples.docx(), "damaged"),
        ("a.zip", samples.docx(), "is an archive"),
    ],
    ids=range(14),
)
def test_what_is_refused(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(UnusableFile, match=re.escape(reason)):
        parse_content(content, name)


def test_an_encrypted_pdf_is_refused() -> None:
    plain = samples.pdf(PORT)
    encrypt = (
        b"<< /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <" + b"00" * 32 + b"> /U <"
        b"11" * 32 + b"> >>"
    )
    trailer = b"/Encrypt " + encrypt + b" /ID [<00> <00>] /Root"
    encrypted = plain.replace(b"/Root", trailer)
    with pytest.raises(UnusableFile, match="encrypted"):
        parse_content(encrypted, "a.pdf")
