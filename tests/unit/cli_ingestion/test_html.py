"""The text of HTML pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.ingestion import html
from cli.ingestion.html import Page

PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Ports &amp;
 Harbours</title><style>p { color: red }</style><script>if (a < b) document.write("<p>no")</script>
</head><body>
<!-- no comment -->
<h1>The <em>harbour</em></h1>
<p>It is   deep,&nbsp;and
wide.<br>Very.</p>
<ul><li>One<li><p>Two</p></li><li></li></ul>
<table><tr><th>Port</th><th>Depth</th></tr><tr><td>Oslo</td><td>9 m</td></tr></table>
<pre>
a = 1
  b = 2
</pre>
<noscript>Switch it on</noscript><svg><title>Icon</title><text>no</text></svg>
<template><p>no</p></template>
Caf&eacute; &#x2014; end
</body></html>"""

TEXT = """# The harbour

It is deep, and wide.
Very.

- One

- Two

Port | Depth
Oslo | 9 m

a = 1
  b = 2

Café — end"""


def test_a_page() -> None:
    assert html.extract(PAGE) == Page("Ports & Harbours", TEXT)


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("<title>A</title><h1>B</h1>", "A"),
        ("<h1>B<br>C</h1><h1>D</h1>", "B C"),
        ("<title> </title><h1><b>B</b></h1>", "B"),
        ("<p>words", None),
        ("<title>never closed<p>words", "never closed"),
        ("<svg><title>Icon</title></svg>", None),
    ],
)
def test_titles(source: str, title: str | None) -> None:
    assert html.extract(source).title == title


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("a<b>b</b>c <i> d</i>", "abc d"),
        ("<div>a<div>b</div></div>c", "a\n\nb\n\nc"),
        ("<script>x</script>a<style>y</style>b", "ab"),
        ("<SCRIPT>x</SCRIPT>a", "a"),
        ("<svg><svg></svg>x</svg>a", "a"),
        ("<script/>a", "a"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("1 < 2", "1 < 2"),
        ("a<!--[if lt IE 9]><p>no</p><![endif]-->b", "ab"),
        ("a<![if !IE]>b<![endif]>c", "abc"),
        ("a<![x[ y ]]>b<![ ]]>c", "abc"),
        ("<h2></h2><p>a", "a"),
        ("<h3>x</h3>", "### x"),
        ("plain words", "plain words"),
        ("", ""),
        ("<p>cut <", "cut <"),
        ("a<p", "a"),
        ("a<p title='>' class=x>b</p >c", "a\n\nb\n\nc"),
        ('a<p title="\'>">b', "a\n\nb"),
        ("a<!-->b<!--->c<!-- -- > --!>d<!-- e", "abcd"),
        ("a<!doctype html>b<?xml?>c</>d</ x>e", "abcde"),
        ("<![CDATA[a <b> &amp; c]]> d", "a <b> &amp; c d"),
        ("<script>if (a</b) '</scripts>'</SCRIPT >c", "c"),
        ("<script>never closed", ""),
        ("<textarea><p>&lt;b</textarea>", "<p><b"),
        ("<svg><p>a</p>", "a"),
        ("<math><mi>x</mi></math>a<object><p>b</object>c", "ac"),
        ("<noscript><p>a</p></noscript><iframe><p>b</iframe>c", "c"),
        ("<pre>\r\n a\r\n\r\n  b</pre>c", "a\n\n  b\n\nc"),
    ],
)
def test_texts(source: str, text: str) -> None:
    assert html.extract(source).text == text


MARKS = ["<", ">", "!", "[", "]", "-", "&", "/", "?", '"', "="]
WORDS = ["x", " ", "p", "pre", "h1", "li", "script", "title", "svg", "CDATA", "if", "doctype"]


@given(st.lists(st.sampled_from([*MARKS, *WORDS])).map("".join))
def test_no_page_is_too_broken(source: str) -> None:
    html.extract(source)


@given(st.text(st.characters(exclude_characters="<&\r\n\t\f\xa0 ")))
def test_what_has_no_markup_is_text(source: str) -> None:
    assert html.extract(f"<p>{source}</p>").text == source.strip()


HOSTILE = """
< <a_ <a_b= <a_b=' <a_b='_ <!-- <! <![ <![CDATA[ <![CDATA[> <? </ </a_ & &# <script> <style <title>
<title></title <textarea> <pre> <svg> <p> <h1> <b><p> <table><tr><td> <li> <template> = <x_=_ _
"""


@pytest.mark.parametrize("unit", HOSTILE.split())
def test_a_page_that_takes_other_parsers_for_ever(unit: str) -> None:
    page = html.extract("words " + unit.replace("_", " ") * 50_000)
    assert page.text.startswith("words")
