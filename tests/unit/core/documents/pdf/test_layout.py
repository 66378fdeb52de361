"""The order of columns, running lines, hyphens and scripts of PDF documents."""

import pytest
from fpdf import FPDF

from core.documents.errors import UnusableFile
from core.documents.kinds import parse_content
from core.documents.model import Block
from tests.unit.core.documents import samples
from tests.unit.core.documents.pdf import by_hand, files
from tests.unit.core.documents.pdf.looking import letters


def blocks(content: bytes) -> tuple[Block, ...]:
    return parse_content(content, "a.pdf").blocks


def texts(content: bytes) -> list[str]:
    return [block.text for block in blocks(content)]


def test_columns_are_read_one_after_the_other() -> None:
    content = files.two_columns()
    assert texts(content)[0] == "# On the Harbours of the Indian Ocean, and Their Trade"
    read = letters(" ".join(texts(content)[1:]))
    assert read == letters(" ".join([files.HARBOUR, files.PEPPER, files.MONSOON] * 6))


def test_columns_that_are_drawn_line_by_line() -> None:
    read = letters(" ".join(texts(files.woven_columns())))
    assert letters(files.HARBOUR) in read
    assert letters(files.PEPPER) in read


def test_a_sentence_goes_on_in_the_next_column() -> None:
    whole = " ".join(texts(files.two_columns()))
    assert "  " not in whole
    for text in texts(files.two_columns())[1:]:
        assert text.endswith(".")
        assert text[0].isupper()


def test_running_heads_and_feet_of_odd_and_even_pages_are_left_out() -> None:
    read = texts(files.book())
    assert len(read) == 16
    assert all(text in files.PEPPER or text.startswith("Harbour number") for text in read)


def test_a_running_head_with_the_titles_of_short_chapters_is_left_out() -> None:
    pages = [
        [(f"Chapter {n}: On ports of kind {n * n} {n + 8}", 9, 760), (f"Text {n}.", 11, 700)]
        for n in range(5)
    ]
    assert texts(samples.pdf(*pages)) == [f"Text {n}." for n in range(5)]


def test_the_wide_spaces_of_justified_lines_are_no_gutter() -> None:
    document = FPDF()
    document.add_page()
    document.set_font("Times", size=12)
    with document.text_columns(text_align="J", ncols=3, gutter=5) as columns:
        columns.write("\n\n".join([files.HARBOUR, files.PEPPER, files.MONSOON] * 4))
    expected = [files.HARBOUR, files.PEPPER, files.MONSOON] * 4
    assert texts(bytes(document.output())) == expected


def test_the_mark_of_a_footnote_is_in_its_line() -> None:
    marked = by_hand.by_hand(
        "BT /F1 12 Tf 72 700 Td (The mole) Tj ET BT /F1 7 Tf 124 705 Td (1) Tj ET"
        " BT /F1 12 Tf 72 686 Td (is of stone.) Tj ET"
    )
    assert texts(marked) == ["The mole 1 is of stone."]


def test_text_that_is_drawn_twice_to_look_bold_is_read_once() -> None:
    bold = by_hand.by_hand(
        "BT /F1 12 Tf 72 700 Td (The mole.) Tj ET BT /F1 12 Tf 72.4 700 Td (The mole.) Tj ET"
        " BT /F1 12 Tf 72 650 Td (The mole.) Tj ET"
    )
    assert texts(bold) == ["The mole.", "The mole."]


def test_a_line_that_only_begins_alike_is_no_running_line() -> None:
    pages = [
        [(f"Port {n} has {n * n} ships.", 11, 760), ("More text.", 11, 700), ("End.", 11, 30)]
        for n in range(2, 9)
    ]
    read = texts(samples.pdf(*pages))
    assert "Port 3 has 9 ships." in read
    assert "End." not in read


def test_a_page_with_one_line_keeps_it() -> None:
    pages = [[(f"Page {n}: the harbour of port {n} is deep.", 11, 760)] for n in range(1, 9)]
    assert len(texts(samples.pdf(*pages))) == 8


def test_a_page_number_of_two_pages_is_left_out() -> None:
    pages = [[("Some text here.", 11, 700), (f"Page {n} of 2", 9, 30)] for n in (1, 2)]
    assert texts(samples.pdf(*pages)) == ["Some text here.", "Some text here."]


def test_hyphens_at_line_ends() -> None:
    assert texts(files.hyphenated()) == [
        "The well-known anchorage is sheltered from the monsoon, and a well-known pilot waits."
    ]


def test_vertical_writing_is_read_from_the_right() -> None:
    assert "".join(texts(by_hand.vertical())) == "".join(by_hand.JAPANESE)


def test_hebrew_is_in_logical_order() -> None:
    assert texts(by_hand.hebrew()) == [" ".join(by_hand.HEBREW)]


def test_ligatures_are_letters() -> None:
    assert texts(by_hand.ligatures()) == ["The first fleet of the flood is five ships."]


def test_a_text_that_runs_up_a_page_is_read_as_one() -> None:
    assert texts(files.sideways()) == [files.HARBOUR]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (files.scanned, "no text"),
        (lambda: files.encrypted("mole"), "encrypted"),
    ],
    ids=["scanned", "encrypted"],
)
def test_what_is_refused(make: "object", reason: str) -> None:
    with pytest.raises(UnusableFile, match=reason):
        blocks(make())  # type: ignore[operator]
