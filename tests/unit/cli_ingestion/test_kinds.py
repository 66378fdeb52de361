"""Titles and texts by kind of file."""

import pytest

from cli.ingestion.kinds import Content, extract


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.md", "x\n\n# The title #\n", Content("The title", "x\n\n# The title #\n")),
        ("a.mdx", "import X\n\n# T\n\n<X/>", Content("T", "import X\n\n# T\n\n<X/>")),
        ("a.adoc", "= T =\n\n== Not this", Content("T", "= T =\n\n== Not this")),
        ("a.asciidoc", "words", Content(None, "words")),
        ("a.md", "# C#", Content("C#", "# C#")),
        ("a.md", "# Two  ##  \n", Content("Two", "# Two  ##  \n")),
        ("a.md", "# #\n# Not this", Content(None, "# #\n# Not this")),
        ("a.md", "#\n# This", Content("This", "#\n# This")),
        ("a.rst", "# T", Content(None, "# T")),
        ("a.txt", "<p>", Content(None, "<p>")),
        ("Makefile", "# T", Content(None, "# T")),
        ("a.htm", "<title>T</title><p>x", Content("T", "x")),
        ("A.HTML", "<p>x", Content(None, "x")),
    ],
)
def test_titles_and_texts(name: str, content: str, expected: Content) -> None:
    assert extract(name, content.encode()) == expected


@pytest.mark.parametrize("name", ["a.md", "a.adoc"])
def test_a_long_heading(name: str) -> None:
    mark = {"a.md": "# ", "a.adoc": "= "}[name]
    text = mark * 200_000 + "x"
    assert extract(name, text.encode()).title == text[2:]
