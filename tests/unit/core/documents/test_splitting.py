"""Splitting of blocks: what stays whole, and what each part of a long block repeats."""

import pytest

from core.documents.model import Block, ParsedDocument, Piece, fenced_block, heading, table
from core.documents.parsing.markdown.document import parse_markdown
from core.documents.splitting import MAX_CHARS, split
from core.domain.place import BoxedText, Place
from core.domain.text.quotable import quotable_spans


def pieces_of(markdown: str, *, target: int = 800, maximum: int = MAX_CHARS) -> list[str]:
    pieces = split(parse_markdown(markdown), target_chars=target, max_chars=maximum)
    return [piece.text for piece in pieces]


def test_a_code_block_is_whole_beyond_the_target() -> None:
    code = "\n".join(f"line_{n} = {n}" for n in range(70))
    assert pieces_of(f"word\n\n```py\n{code}\n```\n\nword")[1] == f"```py\n{code}\n```"


def test_each_part_of_a_long_code_block_is_fenced() -> None:
    code = "\n".join(f"# comment {n}\nvalue_{n} = {n}\n" for n in range(100))
    pieces = pieces_of(f"# Title\n\n```py\n{code}\n```")
    bodies = [piece.removeprefix("# Title\n\n") for piece in pieces]
    assert len(pieces) > 2
    assert all(body.startswith("```py\n") and body.endswith("\n```") for body in bodies)
    assert all(body.split("\n")[1].startswith("# comment") for body in bodies)  # at blank lines
    joined = "\n\n".join(body[len("```py\n") : -len("\n```")] for body in bodies)
    assert joined == code.strip()


def test_each_part_of_a_long_table_has_its_header() -> None:
    rows = "\n".join(f"| port {n} | {n} fathoms |" for n in range(100))
    pieces = pieces_of(f"| Port | Depth |\n|---|---|\n{rows}")
    assert len(pieces) > 2
    assert all(piece.startswith("| Port | Depth |\n| --- | --- |\n| port ") for piece in pieces)
    assert all(piece.endswith(" fathoms |") for piece in pieces)
    assert sum(piece.count("fathoms") for piece in pieces) == 100


def test_an_item_stays_whole_with_what_belongs_to_it() -> None:
    item = f"- first {'word ' * 20}\n\n  more {'word ' * 20}\n\n  ```\n  code\n  ```\n  - below\n"
    pieces = pieces_of(item * 6)
    assert len(pieces) > 1
    assert all(piece.startswith("- first") and piece.endswith("- below") for piece in pieces)


def test_a_long_item_is_split_at_the_items_below_it() -> None:
    below = "".join(f"  - below {n} {'word ' * 20}\n" for n in range(20))
    pieces = pieces_of(f"- above\n{below}")
    assert pieces[0].startswith("- above")
    assert all(piece.startswith("- below") for piece in pieces[1:])


def test_a_heading_leaves_room_for_what_stays_whole() -> None:
    code = "\n".join(["x" * 39] * 29)
    pieces = pieces_of(f"# {'Long heading ' * 4}\n\n```\n{code}\n```")
    assert pieces[0].startswith("# Long")
    assert "```" in pieces[0]


def test_a_heading_stays_with_the_first_sentences_of_a_long_paragraph() -> None:
    pieces = pieces_of(f"# A\n\n## B\n\n{'One sentence of words. ' * 100}")
    assert pieces[0].startswith("# A\n\n## B\n\nOne sentence")


def test_a_front_matter_stays_with_what_follows_and_is_never_quoted() -> None:
    markdown = "---\ndescription: Ships\n---\n# Ports\n\nDeep.\n\n# Quays"
    [first, second] = split(parse_markdown(markdown))
    assert first.text == "---\ndescription: Ships\n---\n\n# Ports\n\nDeep."
    assert first.place == Place("Ports", ("Ports",), line=1)
    assert [first.text[one.start : one.end] for one in quotable_spans(first.text)] == ["Deep."]
    assert second.text == "# Quays"


def test_a_section_has_a_piece_of_its_own() -> None:
    assert pieces_of("# A\n\none\n\n## B\n\ntwo\n\n# C\n\nthree") == [
        "# A\n\none",
        "## B\n\ntwo",
        "# C\n\nthree",
    ]


def test_places_have_the_path_of_headings() -> None:
    document = parse_markdown("# A\n\none\n\n### B\n\ntwo\n\n## C\n\nthree\n\n# D\n\nfour")
    paths = [piece.place.headings for piece in split(document, title="T")]
    assert paths == [("A",), ("A", "B"), ("A", "C"), ("D",)]
    assert {piece.place.title for piece in split(document, title="T")} == {"T"}


def test_a_piece_is_of_one_page_and_in_the_union_of_its_boxes() -> None:
    blocks = (
        Block("paragraph", "one", 1, page=1, box=(10, 20, 30, 40)),
        Block("paragraph", "two", 2, page=1, box=(5, 50, 25, 60)),
        heading("H", 1, 3),
        Block("paragraph", "three", 4, page=2, box=(1, 2, 3, 4)),
    )
    boxes = (BoxedText(0, (10, 20, 30, 40)), BoxedText(5, (5, 50, 25, 60)))
    assert split(ParsedDocument("T", blocks)) == [
        Piece("one\n\ntwo", Place("T", (), 1, (5, 20, 30, 60), 1, boxes)),
        Piece("# H\n\nthree", Place("T", ("H",), 2, (1, 2, 3, 4), 3)),
    ]


@pytest.mark.parametrize(
    "block",
    [
        fenced_block("x" * 3000, "", 1),
        fenced_block("a = 1\n" * 1000, "y" * 900, 1),
        table([["h"], ["c " * 2000]], 1),
        table([["h" * 1500], ["c"]], 1),
        heading("word " * 600, 1, 1),
        Block("item", "- " + "word " * 600, 1, 1),
        Block("quote", "x" * 5000, 1),
    ],
)
def test_nothing_is_longer_than_the_maximum(block: Block) -> None:
    pieces = split(ParsedDocument(None, (heading("H", 1, 1), block)))
    assert len(pieces) > 1
    assert all(len(piece.text) <= MAX_CHARS for piece in pieces)
    words = sum(piece.text.count("word") for piece in pieces)
    assert words == block.text.count("word")


def test_a_fence_is_longer_than_those_in_the_code() -> None:
    assert fenced_block("```\nx\n```", "md", 1).text == "````md\n```\nx\n```\n````"


def test_a_table_without_words_is_none() -> None:
    assert table([["", " "], [""]], 1) is None
