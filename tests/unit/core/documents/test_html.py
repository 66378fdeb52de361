"""HTML: titles, clean text, places, and pages that are broken or hostile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.documents.parsing.html.document import parse_html

PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Ports &amp;
 Harbours</title><style>p { color: red }</style><script>if (a < b) document.write("<p>no")</script>
</head><body>
<!-- no comment -->
<nav><a href="x">Elsewhere</a></nav>
<h1>The <em>harbour</em><a class="headerlink" href="#h">¶</a></h1>
<p>It is   deep,&nbsp;and
wide.<br>Very.</p>
<ul><li>One<li><p>Two</p><p>More</p><ol><li>deep</ol></li><li></li></ul>
<table><tr><th>Port</th><th>Depth</th></tr><tr><td><p>Oslo</p></td><td>9 m</td></tr></table>
<blockquote>Quoted</blockquote>
<pre>
a = 1
  b = 2
</pre>
<noscript>Switch it on</noscript><svg><title>Icon</title><text>no</text></svg>
<template><p>no</p></template>
Caf&eacute; &#x2014; end
</body></html>"""

TEXTS = [
    "# The harbour",
    "It is deep, and wide.\nVery.",
    "- One",
    "- Two",
    "More",
    "1. deep",
    "| Port | Depth |\n| --- | --- |\n| Oslo | 9 m |",
    "Quoted",
    "```\na = 1\n  b = 2\n```",
    "Café — end",
]


def texts(source: str) -> list[str]:
    return [block.text for block in parse_html(source).blocks]


def test_a_page() -> None:
    page = parse_html(PAGE)
    assert page.title == "Ports & Harbours"
    assert [block.text for block in page.blocks] == TEXTS
    assert [block.line for block in page.blocks] == [7, 8, 10, 10, 10, 10, 11, 12, 14, 19]


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("<title>A</title><h1>B</h1>", "A"),
        ("<h1>B<br>C</h1><h1>D</h1>", "B C"),
        ("<title> </title><h2><b>B</b></h2>", "B"),
        ("<p>words", None),
        ("<title>never closed<p>words", "never closed"),
        ("<svg><title>Icon</title></svg>", None),
    ],
)
def test_titles(source: str, title: str | None) -> None:
    assert parse_html(source).title == title


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>a</p><p>b</p>", ["a", "b"]),
        ("a<b>b</b>c <i> d</i>", ["abc d"]),
        ("<div>a<div>b</div></div>c", ["a", "b", "c"]),
        ("<script>x</script>a<style>y</style>b", ["ab"]),
        ("<svg><svg></svg>x</svg>a", ["a"]),
        ("a &lt;b&gt; &amp;amp; c", ["a <b> &amp; c"]),
        ("1 < 2", ["1 < 2"]),
        ("a<!--[if lt IE 9]><p>no</p><![endif]-->b", ["ab"]),
        ("<h2></h2><p>a", ["a"]),
        ("<h3>x</h3>", ["### x"]),
        ("plain words", ["plain words"]),
        ("", []),
        ("<p>cut <", ["cut <"]),
        ("a<p title='>' class=x>b</p >c", ["a", "b", "c"]),
        ("a<!-->b<!--->c<!-- -- > --!>d<!-- e", ["abcd"]),
        ("<![CDATA[a <b> &amp; c]]> d", ["a <b> &amp; c d"]),
        ("<script>never closed", []),
        ("<textarea><p>&lt;b</textarea>", ["<p><b"]),
        ("<math><mi>x</mi></math>a<object><p>b</object>c", ["ac"]),
        ("<pre>\r\n a\r\n\r\n  b</pre>c", ["```\n a\n\n  b\n```", "c"]),
        ("<p>out<main><p>in</main><footer>out</footer>", ["in"]),
        ("<main></main><p>a", ["a"]),
        ("<ol><li>a<li>b<ul><li>c</ol>", ["1. a", "2. b", "- c"]),
        ("<table><tr><td><h2>Layout</h2><p>a</p><pre>b</pre></table>",
         ["## Layout", "a", "```\nb\n```"]),
        ("<table><tr><td><pre>1\n2</pre><td><pre>x\ny</pre></table>", ["```\nx\ny\n```"]),
        ("<table><thead><tr><th>a<th>b<tbody><tr><td>c</table>",
         ["| a | b |\n| --- | --- |\n| c |  |"]),
        ("<dl><dt>term<dd>meaning</dl>", ["term", "meaning"]),
        ("<table><tr><td>never closed", ["| never closed |\n| --- |"]),
        ("<td>alone</td>x", ["alone", "x"]),
    ],
)  # fmt: skip
def test_texts(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


MARKS = ["<", ">", "!", "[", "]", "-", "&", "/", "?", '"', "="]
WORDS = ["x", " ", "p", "pre", "h1", "li", "script", "title", "svg", "CDATA", "table", "td", "tr"]
TAGS = st.sampled_from(
    [
        f"<{end}{name}>"
        for end in ("", "/")
        for name in (
            "p",
            "h1",
            "ul",
            "ol",
            "li",
            "table",
            "tr",
            "td",
            "pre",
            "main",
            "nav",
            "a",
            "br",
        )
    ]
)


@given(st.lists(st.one_of(st.sampled_from([*MARKS, *WORDS]), TAGS)).map("".join))
def test_no_page_is_too_broken(source: str) -> None:
    assert all(block.text.strip() for block in parse_html(source).blocks)


@given(st.text(st.characters(exclude_characters="<&\r\n\t\f\xa0 "), min_size=1))
def test_what_has_no_markup_is_text(source: str) -> None:
    assert "".join(texts(f"<p>{source}</p>")) == source.strip()


HOSTILE = """
< <a_ <a_b= <a_b=' <a_b='_ <!-- <! <![ <![CDATA[ <![CDATA[> <? </ </a_ & &# <script> <style <title>
<title></title <textarea> <pre> <svg> <p> <h1> <b><p> <table><tr><td> <li> <template> = <x_=_ _
<ul><li> <div> <a> <table>x <table><td><pre> <main> <br> <blockquote> <nav>
"""


@pytest.mark.parametrize("unit", HOSTILE.split())
def test_a_page_that_takes_other_parsers_for_ever(unit: str) -> None:
    assert texts("words " + unit.replace("_", " ") * 50_000)[0].startswith("words")


@pytest.mark.parametrize(
    "left_out",
    [
        "<div hidden>no</div>",
        "<div class='a' HIDDEN=''><div>no</div>no</div>",
        "<section style='color:red; display: none'>no</section>",
        "<ul role='navigation'><li>no</ul>",
        "<dialog>no</dialog>",
        "<div role=dialog aria-label='Cookies'>no</div>",
        "<div id='cookie-banner'>We use cookies. <button>Accept</button></div>",
        "<div class='x cc-consent-popup y'>no</div>",
        "<div id='onetrust-consent-sdk'><p>no</p></div>",
    ],
)
def test_what_a_page_does_not_show_is_left_out(left_out: str) -> None:
    assert texts(f"<p>a</p>{left_out}<p>b</p>") == ["a", "b"]


@pytest.mark.parametrize(
    "kept",
    [
        "<div class='hidden'>c</div>",
        "<div title='it is hidden'>c</div>",
        "<div role=tabpanel hidden>c</div>",
        "<div hidden=until-found>c</div>",
        "<dialog open>c</dialog>",
        "<div class='cookie-recipe'>c</div>",
        "<details><summary>c</summary></details>",
    ],
)
def test_what_may_be_shown_is_kept(kept: str) -> None:
    assert texts(f"<p>a</p>{kept}<p>b</p>") == ["a", "c", "b"]


def test_an_element_with_the_role_of_main() -> None:
    page = "<div>no</div><div role='main'><div>a</div><p>b</p></div><div>no</div>"
    assert texts(page) == ["a", "b"]
