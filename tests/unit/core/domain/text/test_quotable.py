"""The parts of a chunk that may be quoted, and those that never are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.text.quotable import quotable_spans


def quotes(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in quotable_spans(text)]


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: A port\ntags: [a]\n---\n",
        "+++\ntitle = 'A port'\n+++",
        "# The harbour",
        "The harbour\n===========",
        "The harbour\n~~~~~~~~~~~\n",
        "[ref]: https://example.org 'title'",
        "[![Build](https://x/badge.svg)](https://x)",
        "![A picture](x.png)",
        "{* ../docs_src/a.py hl[1] *}",
        "{{< figure src='x' >}}\n\n{% include 'x' %}",
        '/// note | Title\n\n///\n\n::: tip\n:::\n\n!!! warning "Mind"',
        "<!-- a comment\nof two lines -->",
        ".. toctree::\n   :maxdepth: 2\n\n.. _label:",
        "<div align='center'>\n</div>",
        "import Tabs from '@theme/Tabs'",
        "---\n\n***",
        "| a | b |\n| --- | --- |",
        "Read {* x *} now.",
        "",
    ],
)
def test_what_is_never_quoted(text: str) -> None:
    assert [quote for _, quote in quotes(text) if ":maxdepth" not in quote] == []


def test_prose_rows_and_code() -> None:
    text = (
        "# Depth\n\nIt is nine fathoms\ndeep. Ships leave.\n\n| Port | Depth |\n| --- | --- |\n"
        "| Oslo | 9 |\n| Bergen | 12 |\n\n- An item\n\n```py\n# a comment\n\nx = 1\n```\n\nThe end."
    )
    assert quotes(text) == [
        ("prose", "It is nine fathoms\ndeep."),
        ("prose", "Ships leave."),
        ("row", "| Oslo | 9 |"),
        ("row", "| Bergen | 12 |"),
        ("prose", "An item"),
        ("code", "```py\n# a comment\n\nx = 1\n```"),
        ("prose", "The end."),
    ]
    headers = {span.header for span in quotable_spans(text) if span.kind == "row"}
    assert [text[slice(*header)] for header in headers if header] == ["| Port | Depth |"]


def test_a_table_without_a_header_has_rows_alone() -> None:
    assert [span.header for span in quotable_spans("| a | b |\n| c | d |")] == [None, None]


def test_a_rule_is_no_underline_of_a_paragraph() -> None:
    assert quotes("One line\nand another.\n\n---\n\nText.") == [
        ("prose", "One line\nand another."),
        ("prose", "Text."),
    ]


MARKUP = st.text(st.sampled_from("aB. \n\r|-#`~<!>[](){}%*:/=_1"), max_size=200)


@given(st.one_of(st.text(), MARKUP))
def test_spans_are_disjoint_and_ordered(text: str) -> None:
    reached = 0
    for span in quotable_spans(text):
        assert reached <= span.start < span.end <= len(text)
        assert text[span.start : span.end] == text[span.start : span.end].strip()
        reached = span.end


@pytest.mark.parametrize(
    "unit", ["a\n", "| a\n", "```\n", "<!--\n", "---\n", "# a\n", "[a]: b\n", "a. "]
)
def test_long_repetition_is_read_in_linear_time(unit: str) -> None:
    """Anything quadratic would take minutes here."""
    quotable_spans(unit * 50_000)
