"""Files by media type and name: which parser reads them, and which are refused."""

import json

import pytest

from core.documents.errors import UnusableFile
from core.documents.kinds import parse_content

CELLS = [
    {"cell_type": "markdown", "source": ["# Depths\n", "\n", "In *fathoms*."]},
    {
        "cell_type": "code",
        "source": "x = 9\nprint(x)",
        "outputs": [{"output_type": "stream", "text": ["9\n"]}],
    },
    {
        "cell_type": "code",
        "source": "plot()",
        "outputs": [{"output_type": "display_data", "data": {"image/png": "iVBOR"}}],
    },
    {"cell_type": "raw", "source": "no"},
]


ASCIIDOC = """= T
:toc:

== S

A *b* link:x[c].

* i
** j

[source,py]
----
# x
----

|===
|a |b

|1 |2
|===

// no
"""


def read(
    content: bytes | str, name: str, media_type: str | None = None
) -> tuple[str | None, list[str]]:
    raw = content.encode() if isinstance(content, str) else content
    document = parse_content(raw, name, media_type)
    return document.title, [block.text for block in document.blocks]


@pytest.mark.parametrize(
    ("name", "media_type", "content", "expected"),
    [
        ("a.md", None, "# *T*", ("T", ["# T"])),
        ("A.MD", "application/octet-stream", "# *T*", ("T", ["# T"])),
        ("a.md", "text/plain", "# *T*", ("T", ["# T"])),
        ("a", "text/markdown; charset=utf-8", "# *T*", ("T", ["# T"])),
        ("a.txt", None, "# *T*", (None, ["# *T*"])),
        ("a.html", None, "<h1>T", ("T", ["# T"])),
        ("a.rst", None, "T\n=\n\n*x*", ("T", ["# T", "x"])),
        ("a.csv", None, "a;b\n1;2\n", (None, ["| a | b |\n| --- | --- |\n| 1 | 2 |"])),
        ("a.csv", None, '"a,b",c\n"x\ny",2', (None, ["| a,b | c |\n| --- | --- |\n| x y | 2 |"])),
        ("a.tsv", None, "a\tb\n1\t2", (None, ["| a | b |\n| --- | --- |\n| 1 | 2 |"])),
        ("a.py", None, "# T\nx = 1\n", (None, ["```python\n# T\nx = 1\n```"])),
        ("a.py", "text/plain", "x", (None, ["```python\nx\n```"])),
        ("Makefile", None, "all:", (None, ["all:"])),
        ("a.md", None, "", (None, [])),
        ("a.csv", None, "", (None, [])),
        ("a.txt", None, "Grüße".encode("utf-16"), (None, ["Grüße"])),
        ("a.txt", None, "\ufeffGrüße", (None, ["Grüße"])),
        ("a.html", None, '<meta charset="koi8-r"><p>мир'.encode("koi8-r"), (None, ["мир"])),
        ("a.txt", None, ("Грузы в порту весят много. " * 9).encode("cp1251"),
         (None, [("Грузы в порту весят много. " * 9).strip()])),
        ("a.adoc", None, ASCIIDOC,
         ("T", ["# T", "## S", "A b c.", "- i", "- j", "```py\n# x\n```",
                "| a | b |\n| --- | --- |\n| 1 | 2 |"])),
        ("a.ipynb", None, json.dumps({"cells": CELLS, "metadata": {}}),
         ("Depths", ["# Depths", "In fathoms.", "```python\nx = 9\nprint(x)\n```", "```\n9\n```",
                     "```python\nplot()\n```"])),
    ],
)  # fmt: skip
def test_kinds(
    name: str, media_type: str | None, content: bytes | str, expected: tuple[str | None, list[str]]
) -> None:
    assert read(content, name, media_type) == expected


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"a\x00b", "NUL characters"),
        ("a.png", b"\x89PNG\r\n", "is an image"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1", "before 2007"),
        ("a.txt", b"\xff\xfea\x00b", "not UTF-16 text"),
        ("a.txt", b"\x01\x02\x03\x04", "control characters"),
        ("a.ipynb", b"{}", "not a Jupyter notebook"),
        ("a.ipynb", b"[" * 100_000, "not a Jupyter notebook|nested too deeply"),
        ("a.ipynb", b'{"cells": [1]}', "not a Jupyter notebook"),
        ("a.csv", b"a," * 2000 + b"\n", "more than 1000 columns"),
    ],
)
def test_what_is_refused(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(UnusableFile, match=reason):
        read(content, name)


def test_a_title_is_in_a_line_and_cut() -> None:
    title, _ = read(f"---\ntitle: {'words ' * 1000}\n---\n", "a.md")
    assert title is not None
    assert len(title) == 1000
