"""Documents of binary formats, made for the tests."""

import io
import zipfile

from docx import Document
from pptx import Presentation
from pptx.util import Inches


def pdf(*pages: list[tuple[str, int, int]], title: str = "") -> bytes:
    """Return a PDF of 612 × 792 points; each line is a text, its font size and its baseline."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>")
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for number, page in enumerate(pages):
        shown = "\n".join(
            f"BT /F1 {size} Tf 72 {baseline} Td ({text}) Tj ET" for text, size, baseline in page
        )
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R"
            f" >> >> /Contents {5 + 2 * number} 0 R >>"
        )
        objects.append(f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream")
    objects.append(f"<< /Title ({title}) >>")
    out = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>"
    at = out.index(b"xref\n")
    return out + f"trailer\n{trailer}\nstartxref\n{at}\n%%EOF".encode()


def docx() -> bytes:
    document = Document()
    document.add_heading("The Port", 0)
    document.add_paragraph("It is nine fathoms deep.")
    document.add_heading("Ships", 1)
    document.add_paragraph("Dhows", style="List Bullet")
    document.add_paragraph("Junks", style="List Bullet")
    table = document.add_table(2, 2)
    for place, words in enumerate(["Port", "Depth", "Oslo", "9 m"]):
        table.cell(place // 2, place % 2).text = words
    return _saved(document)


def pptx() -> bytes:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text = "The Port"
    frame = slide.placeholders[1].text_frame
    frame.text = "Deep"
    frame.add_paragraph().text = "Wide"
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    second.shapes.title.text = "Ships"
    box = second.shapes.add_textbox(Inches(1), Inches(1), Inches(1), Inches(1))
    box.text_frame.text = "Dhows leave."
    second.notes_slide.notes_text_frame.text = "Say it slowly."
    return _saved(presentation)


def with_part(document: bytes, name: str, content: bytes) -> bytes:
    """Return an Office document with one part replaced."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(document)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            target.writestr(
                entry.filename, content if entry.filename == name else source.read(entry)
            )
    return out.getvalue()


def _saved(document: object) -> bytes:
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]
    return out.getvalue()
