"""Text of an HTML page, with headings and lists in Markdown syntax."""

import re
from dataclasses import dataclass

from core.documents.parsing.html_tokens import Tag, tokens

_FOREIGN = frozenset({"math", "svg"})
_DROPPED = _FOREIGN | {"canvas", "object", "template"}
"""Elements without text for readers, including those whose content is not HTML."""
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_PARAGRAPHS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "details", "dialog", "div", "dl"}
    | {"fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "main", "nav"}
    | {"ol", "p", "pre", "section", "summary", "table", "ul"}
)
_LINES = frozenset({"br", "caption", "dd", "dt", "li", "option", "tr"})
_CELLS = frozenset({"td", "th"})
_SPACES = re.compile(r"[ \t\n\r\f\xa0]+")
_MANY_NEWLINES = re.compile(r"\n{3,}")
_BLOCKS = _PARAGRAPHS | _LINES | _HEADINGS.keys()


@dataclass(frozen=True, slots=True)
class Page:
    """A page; `title` is the `<title>`, else the first `<h1>`."""

    title: str | None
    text: str


def extract(source: str) -> Page:
    """Return a page's title and text, without scripts, styles and the like."""
    text = _Text()
    for token in tokens(source.replace("\r\n", "\n").replace("\r", "\n")):
        if not isinstance(token, Tag):
            text.add(token.text)
        elif token.kind == "start":
            text.start(token.name)
        else:
            text.end(token.name)
    return Page(text.title(), text.text())


class _Text:
    """The text so far.

    Before the next text, `_gap` newlines and the `_marker` of a heading or list item are due.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._gap = 0
        self._marker = ""
        self._dropping: list[str] = []
        self._pre = 0
        self._title: list[str] | None = None
        self._heading: list[str] | None = None
        self._titles: list[str] = []
        self._headings: list[str] = []

    def title(self) -> str | None:
        self._end_title()
        titles = (_SPACES.sub(" ", title).strip() for title in [*self._titles, *self._headings])
        return next(filter(None, titles), None)

    def text(self) -> str:
        return _MANY_NEWLINES.sub("\n\n", "".join(self._parts)).strip()

    def start(self, tag: str) -> None:
        self._end_title()
        if self._dropping and self._dropping[-1] in _FOREIGN and tag in _BLOCKS:
            self._dropping.pop()  # such a tag ends them, according to the HTML standard
        if self._dropping:
            if tag == self._dropping[-1]:
                self._dropping.append(tag)
        elif tag in _DROPPED:
            self._dropping.append(tag)
        elif tag == "title":
            self._title = []
        else:
            self._open(tag)

    def end(self, tag: str) -> None:
        if self._dropping:
            if tag == self._dropping[-1]:
                self._dropping.pop()
        elif tag == "title":
            self._end_title()
        else:
            self._close(tag)

    def add(self, text: str) -> None:
        if self._dropping:
            return
        if self._title is not None:
            self._title.append(text)
            return
        if self._heading is not None:
            self._heading.append(text)
        if self._pre:
            self._write(text)
        else:
            self._write_words(_SPACES.sub(" ", text))

    def _open(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._break(2)
            self._marker = "#" * _HEADINGS[tag] + " "
            if tag == "h1":
                self._heading = []
        elif tag in _PARAGRAPHS:
            self._break(2)
            self._pre += tag == "pre"
        elif tag in _LINES:
            self._break(1)
            if tag == "li":
                self._marker = "- "
            if self._heading is not None:
                self._heading.append(" ")
        elif tag in _CELLS and not self._gap:
            self._write(" | ")

    def _close(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._break(2)
            if self._heading is not None:
                self._headings.append("".join(self._heading))
                self._heading = None
        elif tag in _PARAGRAPHS:
            self._break(2)
            if tag == "pre":
                self._pre = max(0, self._pre - 1)
        elif tag in _LINES:
            self._break(1)

        if tag in _HEADINGS or tag == "li":
            self._marker = ""

    def _break(self, newlines: int) -> None:
        self._gap = max(self._gap, newlines)

    def _write_words(self, words: str) -> None:
        """Write text with collapsed spaces: none at the start of a line, and no two in a row."""
        if self._gap or self._marker or not self._parts or self._parts[-1].endswith((" ", "\n")):
            words = words.lstrip(" ")
        if words:
            self._write(words)

    def _write(self, text: str) -> None:
        if self._gap and self._parts:
            self._parts[-1] = self._parts[-1].rstrip(" ")
            self._parts.append("\n" * self._gap)
        self._parts.append(self._marker + text)
        self._gap, self._marker = 0, ""

    def _end_title(self) -> None:
        """End the title, at its end tag or any other tag."""
        if self._title is not None:
            self._titles.append("".join(self._title))
            self._title = None
