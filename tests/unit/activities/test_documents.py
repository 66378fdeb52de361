"""The title of a file: the client's, its own, or its name."""

import pytest

from activities.documents import parse


@pytest.mark.parametrize(
    ("source", "content", "given", "title"),
    [
        ("a/ports.md", "# Harbours", None, "Harbours"),
        ("a/ports.md", "# Harbours", "Own", "Own"),
        ("a/my ports.txt", "Deep.", None, "my ports.txt"),
        ("file:///a/my%20ports.txt", "Deep.", None, "my ports.txt"),
        ("a/100%25.txt", "Deep.", None, "100%25.txt"),
        ("https://example.org/", "Deep.", None, "https://example.org/"),
    ],
)
def test_the_title_of_a_file(source: str, content: str, given: str | None, title: str) -> None:
    parsed = parse(content.encode(), source, title=given)
    assert parsed.title == title
    assert [piece.place.title for piece in parsed.pieces] == [title]
