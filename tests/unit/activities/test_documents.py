"""The title of a file: the client's, its own, or its name. The longest text."""

import pytest

from activities.documents import parse
from core.documents.errors import UnusableFile


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


def test_a_text_that_no_request_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.documents.MAX_TEXT_CHARS", 1_000)
    assert parse(b"a" * 1_000, "a.txt").pieces
    with pytest.raises(
        UnusableFile, match=r"1,001 characters, and a document at most 1,000\. Split"
    ):
        parse(b"a" * 1_001, "a.txt")
