"""reStructuredText: Sphinx's directives and roles, and what docutils must not do."""

import pytest

from core.documents.errors import UnusableFile
from core.documents.parsing.rst import parse_rst


def texts(source: str) -> list[str]:
    return [block.text for block in parse_rst(source).blocks]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Port\n====\n\nSub\n---\n\nx\n\nSub 2\n-----\n\ny",
         ["# Port", "# Sub", "x", "# Sub 2", "y"]),
        ("A\n=\n\nx\n\nB\n-\n\ny\n\nC\n=\n\nz", ["# A", "x", "## B", "y", "# C", "z"]),
        ("Wrapped *line*\nwith ``code`` and `link <http://x>`_.",
         ["Wrapped line with code and link."]),
        (":func:`~os.path` :ref:`text <target>` :py:meth:`a.b` :pep:`8`",
         ["os.path text a.b PEP 8"]),
        (".. note::\n\n   Careful *now*.", ["Careful now."]),
        (".. versionadded:: 3.1\n   A thing.", ["3.1", "A thing."]),
        (".. function:: foo(a)\n   :module: x\n\n   Does *foo*.", ["foo(a)", "Does foo."]),
        (".. unknown-one:: Title\n   :option: x\n\n   Text.", ["Title", "Text."]),
        (".. code-block:: python\n   :linenos:\n\n   # comment\n   x = 1",
         ["```python\n# comment\nx = 1\n```"]),
        ("Like so::\n\n   x = 1", ["Like so:", "```\nx = 1\n```"]),
        (">>> f(1)\n2", ["```\n>>> f(1)\n2\n```"]),
        ("- a\n\n  more\n- b\n\n  1. c", ["- a", "more", "- b", "1. c"]),
        ("===  ===\na    b\n===  ===\n1    2\n===  ===", ["| a | b |\n| --- | --- |\n| 1 | 2 |"]),
        (".. _label:\n.. comment\n.. |x| replace:: y\n\nA |x| here.", ["A y here."]),
        (".. toctree::\n   :maxdepth: 2\n\n   a\n\n.. image:: x.png", []),
        (".. include:: /etc/passwd\n\n.. raw:: html\n\n   <b>x</b>\n\nEnd.", ["End."]),
        (".. csv-table::\n   :file: /etc/passwd\n\nEnd.", ["End."]),
        ("|undefined| and `unclosed", ["|undefined| and `unclosed"]),
        ("term\n   meaning", ["term", "meaning"]),
        ("", []),
    ],
)  # fmt: skip
def test_texts(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


def test_title_and_lines() -> None:
    document = parse_rst(".. _x:\n\nThe *Port*\n==========\n\nOne\ntwo.\n\n.. tip::\n\n   Ten.")
    assert document.title == "The Port"
    assert [(block.text, block.line) for block in document.blocks] == [
        ("# The Port", 3),
        ("One two.", 6),
        ("Ten.", 11),
    ]


def test_what_is_nested_too_deeply() -> None:
    with pytest.raises(UnusableFile, match="nested too deeply"):
        parse_rst("* " * 3000 + "x")


def test_names_of_one_text_are_unknown_to_the_next() -> None:
    assert texts(":strange:`a`") == ["a"]
    assert texts(".. strange::\n\n   a") == ["a"]
    assert texts(":strange:`b`") == ["b"]
