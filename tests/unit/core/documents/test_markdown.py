"""Markdown: titles, clean text, and what documentation tools add to it."""

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.documents.parsing.markdown.document import parse_markdown
from core.documents.splitting import split


def texts(markdown: str) -> list[str]:
    return [block.text for block in parse_markdown(markdown).blocks]


@pytest.mark.parametrize(
    ("markdown", "title"),
    [
        ("---\ntitle: The Port\n---\n# Other", "The Port"),
        ("---\ntags: [a]\ntitle: 'It''s: a port' # comment\n---\n", "It''s: a port"),
        ('---\ntitle: "Ports: all"\n---\n', "Ports: all"),
        ("---\ntitle: >-\n  Two\n  lines\nother: x\n---\n", "Two lines"),
        ("+++\ntitle = 'Toml'\n+++\n", "Toml"),
        ("\ufeff---\r\ntitle: Windows\r\n---\r\n", "Windows"),
        ("---\n\n# After a rule", "After a rule"),
        ("# Learn C# {#id .cls}\n", "Learn C#"),
        ("# Learn C#\r\n", "Learn C#"),
        ("# Closed #", "Closed"),
        ("words\n\n## `Code` and *emphasis*", "Code and emphasis"),
        ("Setext\n===", "Setext"),
        ("Two\nlines\n---", "Two lines"),
        ("<h1 align='center'>An <b>HTML</b> one</h1>\n\n# Later", "An HTML one"),
        ("# [Linked](x) ![badge](https://img.shields.io/x)", "Linked"),
        ("# Anchored {/* #anchor */}", "Anchored"),
        ("```\n# code\n```\n\nwords", None),
        ("", None),
    ],
)
def test_titles(markdown: str, title: str | None) -> None:
    assert parse_markdown(markdown).title == title


@pytest.mark.parametrize(
    ("markdown", "description", "others"),
    [
        ("---\ndescription: 'Where ships land.'\n---\nDeep.", "Where ships land.", ["Deep."]),
        ("---\ndescription: Ships\n---\n# Ports\n\nDeep.", "Ships", ["# Ports", "Deep."]),
        ("+++\ndescription = 'Ships'\n+++\n", "Ships", []),
        (f"---\ndescription: {'a' * 501}\n---\n", "a" * 500, []),
        ("---\ndescription: Deep ports.\n---\nDeep\nports.", None, ["Deep ports."]),
        ("---\ntitle: Ports\ntags: [description]\n---\nDeep.", None, ["Deep."]),
    ],
)
def test_a_front_matter_keeps_its_description_unless_the_text_repeats_it(
    markdown: str, description: str | None, others: list[str]
) -> None:
    above = [] if description is None else [f"---\ndescription: {description}\n---"]
    assert texts(markdown) == [*above, *others]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("*a* **b** ~~c~~ `d_e` &amp; \\*", ["a b c d_e & *"]),
        ("[a](b) <http://c.d> [e][f]\n\n[f]: g", ["a http://c.d e"]),
        ("wrapped\nline  \nhard", ["wrapped line\nhard"]),
        ("これは\n文です", ["これは文です"]),
        ("한국어\n문장", ["한국어 문장"]),
        ("a<br>b <kbd>C</kbd> <!-- no -->d", ["a\nb C d"]),
        ("[![b](badge.svg)](x) ![Build](https://travis-ci.org/x.svg)", []),
        ("![A harbour](harbour.png)", ["A harbour"]),
        ("a[^1]\n\n[^1]: The *note*.", ["a", "The note."]),
        ("> [!NOTE]\n> quoted", ["quoted"]),
        ("- a\n- b\n  1. c\n  2. d", ["- a", "- b", "1. c", "2. d"]),
        ("3. a\n\n   b\n\n4. c", ["3. a", "b", "4. c"]),
        ("- [x] done", ["- [x] done"]),
        ("|a|b|\n|-|-|\n|*c*|`d\\|e`|", ["| a | b |\n| --- | --- |\n| c | d|e |"]),
        ("    indented", ["```\nindented\n```"]),
        ("```python title='x'\n# a\n```", ["```python\n# a\n```"]),
        ("<div>\n<p>a <b>b</b></p>\n<!-- c -->\n</div>", ["a b"]),
        ("<table><tr><th>a<tr><td>b</table>", ["| a |\n| --- |\n| b |"]),
        ("---\nkey: value\n---\nwords", ["words"]),
        ("* * *", []),
    ],
)
def test_clean_text(markdown: str, expected: list[str]) -> None:
    assert texts(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("import A from 'a'\nimport {\n  B\n} from 'b'\n\nwords", ["words"]),
        ("export const a = () => {\n  return 1\n}\n\nwords", ["words"]),
        ("import things from the list.", ["import things from the list."]),
        ("<Tabs>\n<TabItem value='a'>\n\n- x\n\n</TabItem>\n</Tabs>", ["- x"]),
        ("<Card\n  title='a'\n  href='b'\n/>\n\nwords", ["words"]),
        ("<Note>words</Note>", ["words"]),
        ("<>\nwords\n</>", ["words"]),
        (":::note[Take care]\nInside **it**.\n:::\nAfter", ["Take care", "Inside it.", "After"]),
        ("::: tip\nInside\n:::", ["Inside"]),
        (":::{warning} Mind\nInside\n:::", ["Mind", "Inside"]),
        ("/// note | Title\nInside\n///", ["Title", "Inside"]),
        ('!!! note "Title"\n    Inside\n\n    ```\n    code\n    ```\nAfter',
         ["Title", "Inside", "```\ncode\n```", "After"]),
        ("??? question\n    Inside\n\n    Still", ["Inside", "Still"]),
        ('=== "A"\n\n    !!! tip\n        deep\n\n=== "B"\n\n    b', ["A", "deep", "B", "b"]),
        ("```{note} Title\n:class: x\n\nInside `a`.\n```", ["Title", "Inside a."]),
        ("```{toctree}\na\nb\n```\n\nwords", ["words"]),
        ("```{code-block} python\n:linenos:\nx = 1\n```", ["```python\n:linenos:\nx = 1\n```"]),
        ("Use {func}`a.b` and {ref}`The text <target>`.", ["Use a.b and The text."]),
        ("(label)=\n# Title", ["# Title"]),
        ("{% include 'x' %}\n\na {{ page.title }} b", ["a b"]),
        ("{% highlight ruby %}\n# x\n{% endhighlight %}", ["```ruby\n# x\n```"]),
        ("{{< figure src='a_b_c' >}}\n\na {{% b %}} c {{</* d */>}}", ["a c"]),
        ("{* ../docs_src/a_b.py hl[1:2] *}\n\nwords", ["words"]),
        ("words {: .class } {.other} {target=\"_blank\"}", ["words"]),
        ("[[Page]] [[Page|label]] [[1,2],[3]] `[[Code]]`", ["Page label [[1,2],[3]] [[Code]]"]),
        ("[TOC]\n\n--8<-- 'file'\n\n*[HTML]: x\n\nwords", ["words"]),
        ("`{{ code }}` and `{% raw %}`", ["{{ code }} and {% raw %}"]),
        ("```\n:::note\n{% x %}\nimport a from 'b'\n```",
         ["```\n:::note\n{% x %}\nimport a from 'b'\n```"]),
        ("~~~md\n```{note}\n~~~", ["````md\n```{note}\n````"]),
    ],
)  # fmt: skip
def test_what_tools_add(markdown: str, expected: list[str]) -> None:
    assert texts(markdown) == expected


def test_lines_are_those_of_the_source() -> None:
    document = parse_markdown(
        '---\na: b\n---\n\n:::note\nfive\n:::\n\n!!! tip "Nine"\n    ten\n\n<div>\n\ntwelve'
        "\n</div>\n\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>"
    )
    assert [(block.text, block.line) for block in document.blocks] == [
        ("five", 6),
        ("Nine", 9),
        ("ten", 10),
        ("twelve", 14),
        ("- a", 18),
        ("- b", 19),
    ]


WORD = st.text(string.ascii_lowercase + "éж語ก", min_size=3, max_size=8)
MARKS = [
    *("#", "##", "===", "---", "```", "~~~", "-", "  -", "1.", ">", "|", "|-|-|", "<div>", "<a"),
    *("    ", "\t", "*", "**", "_", "[", "](", ")", "![", "<!--", "-->", "</div>", "&#", "\\"),
    *("::: x", "/// x", "!!! x", "=== x", "{%", "%}", "{{<", ">}}", "{*", "*}", "```{note}"),
    *("+++", "<X>", "[^1]:", "[a]: b", "<script>", "</script>", "`", "$", "<table>", "<td>"),
    *("<pre>", "\r", "\x00", "import {", "export const", "\u2028", "\x1e", "\ue000", "{a}", "[["),
    *("|b]]", "<br>"),
]
HOSTILE = st.lists(
    st.tuples(st.sampled_from(MARKS), st.sampled_from(["", " ", "\n", "\n\n", " x\n"])), max_size=40
).map(lambda parts: "".join(map("".join, parts)))


@given(st.one_of(st.text(max_size=300), HOSTILE))
@settings(max_examples=300)
def test_no_document_is_too_broken(markdown: str) -> None:
    for piece in split(parse_markdown(markdown)):
        assert piece.text == piece.text.strip() != ""


FORMS = [
    *("{}", "# {}", "{}\n===", "- {}", "1. {}", "> {}", "*{}*", "[{}](x)", "`{}`", "    {}"),
    *("| {} |\n|---|", "```\n{}\n```", "- a\n\n  {}", "<p>{}</p>", "<b>{}</b>"),
    *("!!! note\n    {}", ":::tip\n{}\n:::", "{}  \nx", "x\n{}", "~~{}~~", "> - {}"),
    "<Tab>\n\n{}\n\n</Tab>",
]


@given(st.lists(st.tuples(st.sampled_from(FORMS), WORD)))
def test_every_word_is_in_a_piece(parts: list[tuple[str, str]]) -> None:
    markdown = "\n\n".join(form.format(word) for form, word in parts)
    pieces = split(parse_markdown(markdown))
    shown = set(re.findall(r"\w+", " ".join(piece.text for piece in pieces)))
    assert {word for _, word in parts} <= shown


UNITS = [
    *("[", "![", "*a ", "**a _b ", "> ", "- ", "`", "<a ", "<A ", "<A\n", "{{<", "{%", "{", "[["),
    *("[a]: b\n", "|", "| a\n", "    - a\n", "<div>\n", "<table><td>", "!!! x\n", "```{a}\n", "&"),
    *("\\", "# a\n", "a\n", "import {\n", "<b><p>", "<!--", "- a\n  - b\n", "</A>", "<A>"),
    *("{a}`b`", "x. "),
]


@pytest.mark.parametrize("unit", UNITS)
def test_long_repetition_is_read_in_linear_time(unit: str) -> None:
    """Anything quadratic would take minutes here."""
    markdown = "words\n\n" + unit * 30_000
    assert split(parse_markdown(markdown))
