"""PDF files by ReportLab, fpdf2 and by hand, as people's programs write them."""

import io
from collections.abc import Callable, Mapping

from fpdf import FPDF
from PIL import Image
from reportlab.lib import pdfencrypt
from reportlab.lib.colors import black
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    PageTemplate,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)

from tests.unit.core.documents.pdf import by_hand

STYLES = getSampleStyleSheet()
HARBOUR = (
    "The harbour of Tamralipti lies on the western arm of the delta. It is nine fathoms deep at "
    "the mole, and dhows anchor in it all year. The pilots of the town know each of its banks."
)
PEPPER = (
    "Pepper is sold by the bahar in Calicut. The price is set by the guild each spring, and no "
    "merchant may sell below it. Whoever does is barred from the market for a year and a day."
)
MONSOON = (
    "The monsoon turns in the ninth month. Ships that leave Aden after the turn must wait on the "
    "coast of Socotra, where water is scarce and anchorage is poor."
)
ROWS = [
    ["Harbour", "Depth", "Goods"],
    ["Tamralipti", "9 fathoms", "copper and betel"],
    ["Calicut", "6 fathoms", "pepper and ginger"],
    ["Aden", "11 fathoms", "incense and horses"],
    ["Siraf", "7 fathoms", "pearls and silk"],
]


def canvas(
    draw: Callable[[Canvas], object], *, size: tuple[float, float] = A4, **options: object
) -> bytes:
    """Return the document that a function draws."""
    out = io.BytesIO()
    drawn = Canvas(out, pagesize=size, **options)
    draw(drawn)
    drawn.save()
    return out.getvalue()


def story(*parts: Flowable) -> bytes:
    """Return a document that ReportLab lays out."""
    out = io.BytesIO()
    SimpleDocTemplate(out, pagesize=A4, title="Ports").build(list(parts))
    return out.getvalue()


def paragraph(text: str, style: str = "BodyText") -> Paragraph:
    return Paragraph(text, STYLES[style])


def lines(text: str, width: float, *, font: str = "Helvetica", size: float = 10) -> list[str]:
    """Return a text cut at words into lines of a width in points."""
    cut = [""]
    for word in text.split():
        longer = f"{cut[-1]} {word}".strip()
        if stringWidth(longer, font, size) > width:
            cut.append(word)
        else:
            cut[-1] = longer
    return cut


def write(on: Canvas, text: str, x: float, y: float, width: float, size: float = 10) -> float:
    """Write a text in lines from a baseline down; return the baseline of the next line."""
    on.setFont("Helvetica", size)
    for line in lines(text, width, size=size):
        on.drawString(x, y, line)
        y -= 1.2 * size
    return y


def plain() -> bytes:
    return story(
        paragraph("Harbours", "Heading1"), paragraph(HARBOUR), paragraph(PEPPER), paragraph(MONSOON)
    )


def rotated(degrees: int) -> bytes:
    """Return a page that a viewer turns, with text that is upright after that."""

    def draw(on: Canvas) -> None:
        width, height = A4
        on.setPageRotation(degrees)  # which also swaps the edges of the page
        if degrees == 90:
            on.translate(height, 0)
            on.rotate(90)
        elif degrees == 180:
            on.translate(width, height)
            on.rotate(180)
        elif degrees == 270:
            on.translate(0, width)
            on.rotate(270)
        write(on, HARBOUR, 60, 500, 300)
        write(on, PEPPER, 60, 400, 300)

    return canvas(draw)


def sideways() -> bytes:
    """Return an upright page with a text that runs up along its side."""

    def draw(on: Canvas) -> None:
        on.translate(300, 100)
        on.rotate(90)
        write(on, HARBOUR, 0, 0, 400)

    return canvas(draw)


def turned_by_viewer() -> bytes:
    """Return a page with upright text, which a viewer shows on its side."""

    def draw(on: Canvas) -> None:
        on.setPageRotation(90)
        write(on, HARBOUR, 60, 500, 300)
        write(on, PEPPER, 60, 400, 300)

    return canvas(draw)


def cropped() -> bytes:
    def draw(on: Canvas) -> None:
        on.setCropBox((100, 200, 500, 700))
        write(on, HARBOUR, 130, 600, 300)
        write(on, "The printer's marks are outside of what is shown.", 130, 100, 300)

    return canvas(draw)


def two_columns() -> bytes:
    out = io.BytesIO()
    document = BaseDocTemplate(out, pagesize=A4)
    width = (A4[0] - 2 * 60 - 14) / 2
    frames = [
        Frame(60 + n * (width + 14), 60, width, 640, leftPadding=0, rightPadding=0, id=str(n))
        for n in (0, 1)
    ]

    def head(on: Canvas, _: BaseDocTemplate) -> None:
        on.setFont("Helvetica-Bold", 18)
        on.drawString(60, 760, "On the Harbours of the Indian Ocean, and Their Trade")

    document.addPageTemplates([PageTemplate("columns", frames, onPage=head)])
    document.build([paragraph(text) for text in [HARBOUR, PEPPER, MONSOON] * 6])
    return out.getvalue()


def woven_columns() -> bytes:
    """Return two columns that are drawn line by line across both."""

    def draw(on: Canvas) -> None:
        left, right = lines(f"{HARBOUR} {MONSOON}", 220), lines(f"{PEPPER} {HARBOUR}", 220)
        on.setFont("Helvetica", 10)
        for n, (first, second) in enumerate(zip(left, right, strict=False)):
            on.drawString(60, 700 - 12 * n, first)
            on.drawString(300, 700 - 12 * n, second)

    return canvas(draw)


def ruled_table() -> bytes:
    long = [
        [*row[:2], paragraph(f"{row[2]}, which the guild of the port weighs and seals")]
        for row in ROWS[1:]
    ]
    table = Table([ROWS[0], *long], colWidths=[90, 70, 110])
    table.setStyle([("GRID", (0, 0), (-1, -1), 0.5, black), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")])
    return story(
        paragraph("Depths", "Heading1"), paragraph(HARBOUR), Spacer(1, 12), table, paragraph(PEPPER)
    )


def open_table() -> bytes:
    """Return a table without a single ruling line."""
    document = FPDF()
    document.add_page()
    document.set_font("Helvetica", size=11)
    document.multi_cell(0, 6, HARBOUR)
    document.ln(6)
    for row in ROWS:
        for words, width in zip(row, (40, 35, 60), strict=True):
            document.cell(width, 8, words)
        document.ln(8)
    document.ln(6)
    document.multi_cell(0, 6, MONSOON)
    return bytes(document.output())


def long_table() -> bytes:
    """Return a table over several pages, its header on the first one alone."""
    rows = [ROWS[0], *([f"Port {n}", f"{n} fathoms", f"goods of kind {n}"] for n in range(120))]
    table = Table(rows, colWidths=[90, 90, 140])
    table.setStyle([("GRID", (0, 0), (-1, -1), 0.5, black)])
    return story(table)


class _Book(FPDF):
    def header(self) -> None:
        self.set_font("Helvetica", "I", 9)
        self.cell(0, 8, "A Pilot of the Indian Ocean" if self.page_no() % 2 else "Second Edition")
        self.ln(14)

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font("Helvetica", size=9)
        self.cell(0, 8, f"Page {self.page_no()} of {{nb}}", align="C")


def book(pages: int = 8) -> bytes:
    document = _Book()
    for number in range(pages):
        document.add_page()
        document.set_font("Helvetica", size=11)
        document.multi_cell(0, 6, f"Harbour number {number} has a mole. {HARBOUR}")
        document.ln(4)
        document.multi_cell(0, 6, PEPPER)
    return bytes(document.output())


def japanese() -> bytes:
    """Return lines in a font that the file names and does not have, as Asian files often do."""
    registerFont(UnicodeCIDFont("HeiseiMin-W3"))

    def draw(on: Canvas) -> None:
        on.setFont("HeiseiMin-W3", 14)
        lines = [text[at : at + 12] for text in by_hand.JAPANESE for at in range(0, len(text), 12)]
        for n, line in enumerate(lines):
            on.drawString(80, 720 - 22 * n, line)

    return canvas(draw)


def form() -> bytes:
    """Return a page whose text is in a form that it shows moved and scaled."""

    def draw(on: Canvas) -> None:
        on.beginForm("stamp")
        write(on, PEPPER, 0, 0, 300)
        on.endForm()
        on.saveState()
        on.translate(80, 600)
        on.scale(1.2, 1.2)
        on.doForm("stamp")
        on.restoreState()

    return canvas(draw)


def encrypted(password: str) -> bytes:
    key = pdfencrypt.StandardEncryption(password, ownerPassword="harbour master", strength=128)
    return canvas(lambda on: write(on, HARBOUR, 60, 700, 300), encrypt=key)


def hyphenated() -> bytes:
    def draw(on: Canvas) -> None:
        on.setFont("Times-Roman", 11)
        for n, line in enumerate(
            [
                "The well-known anchorage is shel-",
                "tered from the mon-",
                "soon, and a well-",
                "known pilot waits.",
            ]
        ):
            on.drawString(60, 700 - 13 * n, line)

    return canvas(draw)


def over_pages() -> bytes:
    """Return a paragraph that begins on one page and ends on the next."""
    return story(Spacer(1, 610), paragraph(" ".join([HARBOUR, PEPPER, MONSOON] * 2)))


def scanned() -> bytes:
    picture = ImageReader(Image.new("RGB", (60, 80), "grey"))
    return canvas(lambda on: on.drawImage(picture, 0, 0, *A4))


def damaged() -> bytes:
    """Return a document whose cross-reference table is somewhere else than it says."""
    return plain().replace(b"startxref\n", b"startxref\n9")


READABLE: Mapping[str, Callable[[], bytes]] = {
    "plain": plain,
    "rotated by 90": lambda: rotated(90),
    "rotated by 180": lambda: rotated(180),
    "rotated by 270": lambda: rotated(270),
    "sideways": sideways,
    "turned by the viewer": turned_by_viewer,
    "cropped": cropped,
    "two columns": two_columns,
    "woven columns": woven_columns,
    "ruled table": ruled_table,
    "open table": open_table,
    "long table": long_table,
    "book": book,
    "japanese": japanese,
    "japanese vertical": by_hand.vertical,
    "form": form,
    "encrypted without a password": lambda: encrypted(""),
    "hyphenated": hyphenated,
    "over pages": over_pages,
    "damaged": damaged,
    "moved origin": by_hand.moved_origin,
    "hebrew": by_hand.hebrew,
    "ligatures": by_hand.ligatures,
}
