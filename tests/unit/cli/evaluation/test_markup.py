"""Markup in quotes."""

import pytest

from cli.evaluation.markup import is_markup


@pytest.mark.parametrize(
    "quote",
    [
        "title: Ports\n---",
        "## Installing",
        "Installing\n==========",
        "See [the guide](guide.md#start) for more.",
        "![A harbour](harbour.png)",
        "[guide]: https://example.org/guide",
        "Set :setting:`DEBUG` to False.",
        "See :ref:`the guide <guide>`.",
        "`the guide <https://example.org>`_ has more.",
        ".. versionadded:: 3.2",
        ".. _ports:",
        "{{< note >}} Mind the tide. {{< /note >}}",
        "{* ../../docs_src/ports.py hl[1] *}",
        "/// tip",
        "::: warning",
        "<AppOnly>",
        "The harbour is <b>deep</b>.",
        "<!-- to do -->",
        "import Tabs from '@theme/Tabs';",
        "| --- | --- |",
        "Ports { #ports }",
        "```py\nopen()",
        "***",
    ],
)
def test_markup(quote: str) -> None:
    assert is_markup(quote)


@pytest.mark.parametrize(
    "quote",
    [
        "The harbour is nine fathoms deep.",
        "Use `List[int](x)` or `<div>` and a < b > c.",
        "| port | depth |\n| Lanka | 9 |",
        "```py\nopen()\n```",
        "A note (see page 3) - and a dash.",
        "x[0] is the first; f(x)[1] the next.",
        "The ratio is 3:1, e.g. {a: 1}.",
        "C# and F# are languages.",
        "import the file before you open it",
        "水深は九米です。",
    ],
)
def test_text(quote: str) -> None:
    assert not is_markup(quote)
