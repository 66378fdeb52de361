"""Media types and texts by kind of file."""

import pytest

from cli.ingestion.kinds import Content, extract


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.md", "text/markdown"),
        ("a.mdx", "text/markdown"),
        ("a.MARKDOWN", "text/markdown"),
        ("a.rst", "text/x-rst"),
        ("a.adoc", "text/asciidoc"),
        ("a.txt", "text/plain"),
        ("Makefile", "text/plain"),
        ("a.htm", "text/html"),
        ("a.csv", "text/csv"),
        ("a.tsv", "text/tab-separated-values"),
        ("a.ipynb", "application/x-ipynb+json"),
        ("A.HTML", "text/html"),
    ],
)
def test_media_types(name: str, media_type: str) -> None:
    assert extract(name, b"<p># T") == Content(media_type, "<p># T")


@pytest.mark.parametrize("name", ["a.pdf", "a.DOCX", "a.pptx"])
def test_what_is_not_text_is_not_decoded(name: str) -> None:
    content = extract(name, b"\x00\xff")
    assert (content.text, content.binary) == ("", b"\x00\xff")
    assert content.media_type.startswith("application/")


def test_a_page_is_decoded_as_it_declares() -> None:
    page = '<meta charset="windows-1252">Café'
    assert extract("a.html", page.encode("cp1252")) == Content("text/html", page)
