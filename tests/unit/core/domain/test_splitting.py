"""Splitting: what holds for any text and sizes, and where the cuts fall."""

import re

from hypothesis import given
from hypothesis import strategies as st

from core.domain.splitting import MAX_CHARS, TARGET_CHARS, Piece, split

TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="。！？"), max_size=300),
    st.text(alphabet=st.sampled_from("aB. \n\r#-"), max_size=300),
    st.lists(st.sampled_from(["# H", "## H", "word " * 9, "One. Two.", "x" * 70, ""])).map(
        "\n".join
    ),
)
SIZES = st.tuples(st.integers(1, 60), st.integers(0, 60)).map(lambda size: (size[0], sum(size)))


@given(TEXTS, SIZES)
def test_pieces_are_ordered_bounded_and_whole(text: str, sizes: tuple[int, int]) -> None:
    target, maximum = sizes
    pieces = split(text, target_chars=target, max_chars=maximum)
    reached = 0
    for piece in pieces:
        assert reached <= piece.start
        assert piece.text == text[piece.start : piece.end] == piece.text.strip()
        assert 1 <= len(piece.text) <= maximum
        reached = piece.end
    assert "".join("".join(p.text.split()) for p in pieces) == "".join(text.split())


@given(TEXTS, SIZES)
def test_only_an_overlong_word_is_cut(text: str, sizes: tuple[int, int]) -> None:
    target, maximum = sizes
    words = [match.span() for match in re.finditer(r"\S+", text)]
    for piece in split(text, target_chars=target, max_chars=maximum):
        cut = [end - start for start, end in words if start < piece.end < end]
        assert all(length > maximum for length in cut)


def test_a_short_text_is_one_piece() -> None:
    assert split("  A short text. It fits.\n") == [Piece("A short text. It fits.", 2, 24)]


def test_nothing_comes_of_white_space() -> None:
    assert split(" \n\n\t") == []


def test_paragraphs_are_packed_up_to_the_target() -> None:
    paragraph = "Twenty characters.."
    pieces = split("\n\n".join([paragraph] * 5), target_chars=45, max_chars=60)
    assert [p.text.count(paragraph) for p in pieces] == [2, 2, 1]


def test_a_long_paragraph_is_cut_at_sentences() -> None:
    text = "The first sentence is here. The second sentence is here. The third is here."
    pieces = split(text, target_chars=60, max_chars=80)
    assert [p.text for p in pieces] == [text[:56], text[57:]]


def test_a_heading_begins_a_piece_and_stays_with_its_text() -> None:
    text = f"# Guide\n\n## Start\n\n{'a ' * 30}\n\n## Next\n\n{'b ' * 30}\n"
    pieces = split(text, target_chars=100, max_chars=140)
    assert [p.text.split("\n")[0] for p in pieces] == ["# Guide", "## Next"]
    assert all(p.text[-1] in "ab" for p in pieces)


def test_a_heading_may_pass_the_target_to_stay_with_its_text() -> None:
    text = f"## Heading\n\n{'word ' * 19}end."
    assert len(split(text, target_chars=100, max_chars=140)) == 1


def test_list_markers_stay_with_their_items() -> None:
    text = "\n".join(f"- item number {n} with some words" for n in range(60))
    pieces = split(text)
    assert len(pieces) > 1
    assert all(p.text.startswith("- item") and len(p.text) <= TARGET_CHARS for p in pieces)


def test_a_word_longer_than_the_maximum_is_cut() -> None:
    pieces = split("x" * (MAX_CHARS + 10))
    assert [len(p.text) for p in pieces] == [MAX_CHARS, 10]
