"""Tables of PDF documents: rows of cells below their header."""

from core.documents.kinds import parse_content
from core.documents.model import Block
from core.documents.splitting import split
from tests.unit.core.documents import samples
from tests.unit.core.documents.pdf import files


def tables(content: bytes) -> list[Block]:
    return [b for b in parse_content(content, "a.pdf").blocks if b.kind == "table"]


def rows(block: Block) -> list[list[str]]:
    lines = block.text.split("\n")
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if line[2] != "-"
    ]


def test_cells_between_ruling_lines_keep_their_wrapped_lines() -> None:
    (table,) = tables(files.ruled_table())
    assert rows(table) == [
        files.ROWS[0],
        *(
            [*row[:2], f"{row[2]}, which the guild of the port weighs and seals"]
            for row in files.ROWS[1:]
        ),
    ]
    assert table.header.startswith("| Harbour | Depth | Goods |")


def test_columns_without_ruling_lines() -> None:
    read = parse_content(files.open_table(), "a.pdf").blocks
    assert [block.kind for block in read] == ["paragraph", "table", "paragraph"]
    assert rows(read[1]) == files.ROWS


def test_the_columns_of_a_table_that_goes_on_are_named_in_the_headings() -> None:
    document = parse_content(files.long_table(), "a.pdf")
    pieces = split(document)
    assert len({piece.place.page for piece in pieces}) > 2
    for piece in pieces:
        first = piece.text.split("\n")[0]
        if piece.place.page == 1:
            assert first == "| Harbour | Depth | Goods |"
        else:
            assert first.startswith("| Port ")
            assert piece.place.headings == ("Harbour | Depth | Goods",)
    found = [line for piece in pieces for line in piece.text.split("\n") if "| Port " in line]
    assert len(found) == len(set(found)) == 120


def test_two_aligned_lines_are_no_table() -> None:
    page = [("Name:", 11, 700), ("It is a long text of one line that goes on.", 11, 680)]
    assert not tables(samples.pdf(page))
