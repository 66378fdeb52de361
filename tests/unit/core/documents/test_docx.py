"""Word documents as people write them: tracked changes, notes, boxes, lists and merged cells."""

import io

import pytest
from docx import Document
from docx.document import Document as WordDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml

from core.documents.kinds import parse_content

SPACES = " ".join(
    f'xmlns:{name}="http://schemas.{rest}"'
    for name, rest in {
        "w": "openxmlformats.org/wordprocessingml/2006/main",
        "mc": "openxmlformats.org/markup-compatibility/2006",
        "wps": "microsoft.com/office/word/2010/wordprocessingShape",
        "m": "openxmlformats.org/officeDocument/2006/math",
        "v": "openxmlformats.org/vml",
    }.items()
)
BOX = "<w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent>"
NOTES = f"""<w:footnotes {SPACES}>
<w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:t>line</w:t></w:r></w:p></w:footnote>
<w:footnote w:id="2"><w:p><w:r><w:footnoteRef/><w:t>Measured at low tide.</w:t></w:r></w:p>
</w:footnote></w:footnotes>"""


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>"


def read(*parts: str) -> list[str]:
    """Return the texts of the blocks of a document with some XML as its body."""
    document = Document()
    for part in parts:
        element = parse_xml(part.replace(">", f" {SPACES}>", 1))
        document.element.body.insert(len(document.element.body) - 1, element)
    return texts(document)


def texts(document: WordDocument) -> list[str]:
    out = io.BytesIO()
    document.save(out)
    return [block.text for block in parse_content(out.getvalue(), "a.docx").blocks]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"{run('It is ')}<w:del>{run('six')}</w:del><w:ins>{run('nine')}</w:ins>", "It is nine"),
        (
            "<w:del><w:r><w:delText>Gone.</w:delText></w:r></w:del><w:r><w:t>here</w:t></w:r>",
            "here",
        ),
        (f"<w:moveFrom>{run('away')}</w:moveFrom><w:moveTo>{run('here')}</w:moveTo>", "here"),
        (f"{run('Shown')}{run(' hidden', '<w:vanish/>')}", "Shown"),
        (f"{run('Not')}{run(' hidden', '<w:vanish w:val=&quot;0&quot;/>')}", "Not hidden"),
        (f"<w:r><w:instrText>PAGE</w:instrText></w:r>{run('7')}", "7"),
        (f"<w:hyperlink>{run('a link')}</w:hyperlink>{run(' of')}", "a link of"),
        (f"<w:sdt><w:sdtContent>{run('controlled')}</w:sdtContent></w:sdt>", "controlled"),
        ("<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r>", "a b c"),
        ("<m:oMath><m:r><m:t>x+1</m:t></m:r></m:oMath>", "x+1"),
    ],
    ids=[
        "changed",
        "deleted",
        "moved",
        "hidden",
        "shown",
        "field",
        "link",
        "control",
        "breaks",
        "formula",
    ],
)
def test_the_words_of_a_paragraph(content: str, expected: str) -> None:
    assert read(f"<w:p>{content.replace('&quot;', chr(34))}</w:p>") == [expected]


def test_comments_are_left_out() -> None:
    document = Document()
    paragraph = document.add_paragraph("It is nine fathoms deep.")
    document.add_comment(paragraph.runs, text="Is it?", author="A", initials="A")
    assert texts(document) == ["It is nine fathoms deep."]


def test_a_text_box_follows_its_paragraph_once() -> None:
    box = (
        f"<w:p>{run('Before.')}<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing>"
        f"<wps:txbx>{BOX}</wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>{BOX}"
        "</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    assert read(box, f"<w:p>{run('After.')}</w:p>") == ["Before.", "In a box.", "After."]
    old = f"<w:p><w:r><w:pict><v:textbox>{BOX}</v:textbox></w:pict></w:r></w:p>"
    assert read(old) == ["In a box."]


def test_blocks_in_content_controls_are_read() -> None:
    inner = f"<w:p>{run('A form.')}</w:p>"
    assert read(f"<w:sdt><w:sdtContent>{inner}</w:sdtContent></w:sdt>") == ["A form."]


def test_a_footnote_follows_its_paragraph() -> None:
    document = Document()
    part = Part(
        PackURI("/word/footnotes.xml"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml",
        NOTES.encode(),
        document.part.package,
    )
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    paragraph = document.add_paragraph("Nine fathoms.")
    mark = parse_xml(f"<w:r {SPACES}><w:footnoteReference w:id='2'/></w:r>")
    paragraph._p.append(mark)
    document.add_paragraph("The end.")
    assert texts(document) == ["Nine fathoms.", "Measured at low tide.", "The end."]


def test_headings_by_a_style_of_ones_own() -> None:
    document = Document()
    style = document.styles.add_style("Chapter", WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Heading 2"]
    document.add_paragraph("Depth", style="Chapter")
    document.add_paragraph("Deep.")
    assert texts(document) == ["## Depth", "Deep."]


def test_a_heading_by_its_outline_level() -> None:
    outlined = f"<w:p><w:pPr><w:outlineLvl w:val='2'/></w:pPr>{run('Depth')}</w:p>"
    assert read(outlined) == ["### Depth"]


def test_numbered_lists_count_at_each_level() -> None:
    document = Document()
    for text, style in [
        ("One", "List Number"),
        ("Dhow", "List Bullet 2"),
        ("Two", "List Number"),
    ]:
        document.add_paragraph(text, style=style)
    document.add_paragraph("Prose", style="List Paragraph")
    assert texts(document) == ["1. One", "- Dhow", "2. Two", "Prose"]


def test_merged_cells_and_deleted_rows() -> None:
    document = Document()
    table = document.add_table(4, 3)
    cells = ["Sea", "Port", "Depth", "West", "Oslo", "9", "", "Bergen", "8", *["gone"] * 3]
    for place, words in enumerate(cells):
        table.cell(place // 3, place % 3).text = words
    table.cell(1, 0).merge(table.cell(2, 0))
    last = table.rows[3]._tr
    last.insert(0, parse_xml(f"<w:trPr {SPACES}><w:del/></w:trPr>"))
    [text] = texts(document)
    assert text.split("\n")[2:] == ["| West | Oslo | 9 |", "| West | Bergen | 8 |"]


def test_cells_that_span_columns_are_in_the_first() -> None:
    document = Document()
    table = document.add_table(2, 2)
    for place, words in enumerate(["Depths", "", "Oslo", "9"]):
        table.cell(place // 2, place % 2).text = words
    table.cell(0, 0).merge(table.cell(0, 1))
    [text] = texts(document)
    assert text.split("\n")[0] == "| Depths |  |"


def test_a_table_of_one_column_is_a_frame() -> None:
    document = Document()
    document.add_table(1, 1).cell(0, 0).text = "A warning in a frame."
    assert texts(document) == ["A warning in a frame."]


def test_a_table_of_contents_is_left_out() -> None:
    document = Document()
    document.styles.add_style("toc 1", WD_STYLE_TYPE.PARAGRAPH)
    document.add_paragraph("Depth\t7", style="toc 1")
    document.add_paragraph("Deep.")
    assert texts(document) == ["Deep."]
