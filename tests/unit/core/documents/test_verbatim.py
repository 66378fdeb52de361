"""Texts without a media type: every character stays, and the cuts follow the Markdown."""

import re

from hypothesis import given
from hypothesis import strategies as st

from core.documents.model import Piece
from core.documents.splitting import MAX_CHARS, TARGET_CHARS, split
from core.documents.verbatim import parse_verbatim
from core.domain.place import Place

TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="。！？`~|"), max_size=300),
    st.text(alphabet=st.sampled_from("aB. \n\r#-"), max_size=300),
    st.text(alphabet=st.sampled_from("aß \n\r#-=>*1.[]:<&é"), max_size=300),
    st.lists(st.sampled_from(["# H", "## H", "word " * 9, "One. Two.", "x" * 70, ""])).map(
        "\n".join
    ),
    st.lists(
        st.sampled_from(
            [
                *("- a", "  - b", "1. c", "   d", "> q", "> - r", "[x]: y", "<div>", "    code"),
                *("", "a", "===", "---", "t: u", "[^1]: f", "+++", "\ufeff", "\u2028é", "</div>"),
            ]
        ),
        max_size=20,
    ).map("\n".join),
)
SIZES = st.tuples(st.integers(1, 60), st.integers(0, 60)).map(lambda size: (size[0], sum(size)))
STRUCTURED = st.lists(
    st.sampled_from(
        [
            *("```py", "```", "~~~", "| a | b |", "|---|---|", "| c | d e f |", "- i", "  j"),
            *("# h", "", "word " * 8, "x" * 70, "é" * 9),
        ]
    ),
    max_size=30,
).map("\n".join)


def pieces_of(text: str, target: int = TARGET_CHARS, maximum: int = MAX_CHARS) -> list[Piece]:
    return split(parse_verbatim(text), target_chars=target, max_chars=maximum)


def texts_of(text: str, target: int = TARGET_CHARS, maximum: int = MAX_CHARS) -> list[str]:
    return [piece.text for piece in pieces_of(text, target, maximum)]


@given(st.one_of(TEXTS, STRUCTURED))
def test_blocks_and_their_gaps_are_the_text(text: str) -> None:
    blocks = parse_verbatim(text).blocks
    assert "".join(block.gap + block.text for block in blocks).strip() == text.strip()
    assert all(not block.gap.strip() for block in blocks)


@given(TEXTS, SIZES)
def test_pieces_are_ordered_bounded_and_whole(text: str, sizes: tuple[int, int]) -> None:
    reached = 0
    texts = texts_of(text, *sizes)
    for piece in texts:
        reached = text.index(piece, reached) + len(piece)
        assert piece == piece.strip()
        assert 1 <= len(piece) <= sizes[1]
    assert "".join("".join(piece.split()) for piece in texts) == "".join(text.split())


@given(STRUCTURED, SIZES)
def test_every_character_of_code_and_tables_is_in_a_piece(
    text: str, sizes: tuple[int, int]
) -> None:
    texts = texts_of(text, *sizes)
    assert all(len(piece) <= sizes[1] for piece in texts)
    shown = iter("".join("".join(piece.split()) for piece in texts))
    assert all(character in shown for character in "".join(text.split()))


@given(TEXTS, SIZES)
def test_only_an_overlong_word_is_cut(text: str, sizes: tuple[int, int]) -> None:
    words = [match.span() for match in re.finditer(r"\S+", text)]
    reached = 0
    for piece in texts_of(text, *sizes):
        reached = text.index(piece, reached) + len(piece)
        cut = [text[start:end] for start, end in words if start < reached < end]
        assert all(len(word) > sizes[1] for word in cut), (text, piece, cut)


@given(TEXTS)
def test_a_place_has_the_line_where_the_piece_begins(text: str) -> None:
    lines = re.split(r"\r\n?|\n", text)
    for piece in pieces_of(text, 20, 30):
        first = re.split(r"\r\n?|\n", piece.text)[0]
        assert first in lines[(piece.place.line or 0) - 1]


def test_a_word_that_fits_without_the_heading_is_not_cut() -> None:
    assert texts_of(f"# {'h' * 31}\n{'w' * 36}", 1, 69) == [f"# {'h' * 31}", "w" * 36]


def test_a_lone_surrogate_keeps_its_place() -> None:
    assert texts_of("# \ud800\n\nA text \udfff.") == ["# \ud800\n\nA text \udfff."]


def test_a_short_text_is_one_piece() -> None:
    assert pieces_of("  A short text. It fits.\n") == [
        Piece("A short text. It fits.", Place(line=1))
    ]


def test_nothing_comes_of_white_space() -> None:
    assert pieces_of(" \n\n\t") == []


def test_paragraphs_are_packed_up_to_the_target() -> None:
    paragraph = "Twenty characters.."
    texts = texts_of("\n\n".join([paragraph] * 5), 45, 60)
    assert [text.count(paragraph) for text in texts] == [2, 2, 1]


def test_a_long_paragraph_is_cut_at_sentences() -> None:
    text = "The first sentence is here. The second sentence is here. The third is here."
    assert texts_of(text, 60, 80) == [text[:56], text[57:]]


def test_a_heading_begins_a_piece_and_stays_with_its_text() -> None:
    text = f"# Guide\n\n## Start\n\n{'a ' * 30}\n\nNext\n----\n\n{'b ' * 30}\n"
    pieces = pieces_of(text, 100, 140)
    assert [piece.text.split("\n")[0] for piece in pieces] == ["# Guide", "Next"]
    assert all(piece.text[-1] in "ab" for piece in pieces)
    assert [piece.place for piece in pieces] == [
        Place(headings=("Guide", "Start"), line=1),
        Place(headings=("Guide", "Next"), line=7),
    ]


def test_a_heading_may_pass_the_target_to_stay_with_its_text() -> None:
    text = f"## Heading\n\n{'word ' * 19}end."
    assert len(texts_of(text, 100, 140)) == 1


def test_list_markers_stay_with_their_items() -> None:
    text = "\n".join(f"- item number {n} with some words" for n in range(60))
    texts = texts_of(text)
    assert len(texts) > 1
    assert all(text.startswith("- item") and len(text) <= TARGET_CHARS for text in texts)


def test_a_word_longer_than_the_maximum_is_cut() -> None:
    assert [len(text) for text in texts_of("x" * (MAX_CHARS + 10))] == [MAX_CHARS, 10]


def test_markup_and_front_matter_stay() -> None:
    text = "---\ntitle: T\n---\n\n*a* [b](c) <!-- d -->\n\n[e]: f\n\n[^1]: g"
    assert texts_of(text) == [text]
