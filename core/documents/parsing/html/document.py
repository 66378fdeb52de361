"""HTML as a title and blocks: headings, paragraphs, lists, tables and code of the main content."""

import re
from bisect import bisect_right
from collections.abc import Iterable

from core.documents.model import Block, Kind, ParsedDocument, fenced_block, heading, item, table
from core.documents.parsing.html.attributes import is_left_out, is_main
from core.documents.parsing.html.tokens import Tag, Text, Token, tokens

_FOREIGN = frozenset({"math", "svg"})
_DROPPED = _FOREIGN | {"canvas", "nav", "object", "template"}
"""Elements without text of the page, including those whose content is not HTML."""
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_PARAGRAPHS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "dialog"}
    | {"div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr"}
    | {"legend", "li", "main", "ol", "option", "p", "pre", "section", "summary", "ul", "table"}
)
_ROWS = frozenset({"tr", "tbody", "thead", "tfoot"})
_CELLS = frozenset({"td", "th"})
_BLOCKS = _PARAGRAPHS | _ROWS | _CELLS | _HEADINGS.keys() | {"br"}
_LAYOUT = _HEADINGS.keys() | {"pre", "table"}
"""Elements that no table of values has in a cell."""
_SPACES = re.compile(r"[ \t\n\r\f\xa0]+")
_PERMALINKS = {"¶", "#", "🔗", "§", ""}
_LINE_NUMBERS = re.compile(r"[\s\d]*\Z")


def parse_html(text: str) -> ParsedDocument:
    """Return a page's title and the blocks of its `<main>`, else of all of it.

    The title is the `<title>`, else the first heading. Navigation (`<nav>`), what is hidden and
    questions about cookies are dropped.
    """
    source = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    reader = _read(source)
    heads = (block.title for block in reader.blocks if block.kind == "heading")
    title = next(filter(None, [*reader.titles, *heads]), None)
    return ParsedDocument(title, tuple(reader.main or reader.blocks))


def html_blocks(source: str) -> list[Block]:
    """Return the blocks of a part of a page."""
    return _read(source).blocks


def _read(source: str) -> "_Reader":
    reader = _Reader(source)
    reader.read(tokens(source))
    return reader


class _Reader:
    """A pass over the tokens.

    `main` are the blocks of the `<main>` elements, and of an element with that role; `titles` are
    the words of `<title>` elements.
    """

    def __init__(self, source: str) -> None:
        self.blocks: list[Block] = []
        self.main: list[Block] = []
        self.titles: list[str] = []
        self._starts = [0, *(match.end() for match in re.finditer("\n", source))]
        self._dropping: list[str] = []
        self._title: list[str] | None = None
        self._words: list[str] = []
        self._start: int | None = None
        self._kind = "paragraph"
        self._lists: list[int | None] = []
        self._is_item = self._in_link = False
        self._depths = {"main": 0, "pre": 0, "blockquote": 0}
        self._mains: list[str] = []
        self._link_from = 0
        self._tables: list[_Table] = []

    def read(self, page: Iterable[Token]) -> None:
        for token in page:
            if isinstance(token, Text):
                self._text(token)
            elif token.kind == "start":
                self._start_tag(token)
            else:
                self._end_tag(token.name)
        self._end_title()
        while self._tables:
            self._end_table()
        self._flush()

    def _text(self, token: Text) -> None:
        if self._dropping:
            return
        if self._title is not None:
            self._title.append(token.text)
        elif token.text:
            if self._start is None and token.text.strip():
                self._start = token.start + len(token.text) - len(token.text.lstrip())
            self._words.append(token.text if self._depths["pre"] else _SPACES.sub(" ", token.text))

    def _start_tag(self, tag: Tag) -> None:
        self._end_title()
        if self._dropping and self._dropping[-1] in _FOREIGN and tag.name in _BLOCKS:
            self._dropping.pop()  # such a tag ends them, according to the HTML standard
        if self._dropping:
            if tag.name == self._dropping[-1]:
                self._dropping.append(tag.name)
        elif tag.name in _DROPPED or is_left_out(tag):
            self._dropping.append(tag.name)
        elif tag.name == "title":
            self._title = []
        else:
            self._open(tag)

    def _end_tag(self, name: str) -> None:
        if self._dropping:
            if name == self._dropping[-1]:
                self._dropping.pop()
        elif name == "title":
            self._end_title()
        else:
            self._close(name)

    def _open(self, tag: Tag) -> None:
        name = tag.name
        if (self._mains and self._mains[-1] == name) or (not self._mains and is_main(tag)):
            self._separate()
            self._mains.append(name)
        if name == "a":
            self._in_link, self._link_from = True, len(self._words)
        elif name == "br":
            self._words.append("\n")
        elif name in _ROWS or name in _CELLS:
            self._open_cell(name)
        elif name in _PARAGRAPHS or name in _HEADINGS:
            if self._tables and name in _LAYOUT:
                self._tables[-1].is_layout = True
                self._flush_rows()
            self._separate()
            self._open_block(tag)

    def _open_block(self, tag: Tag) -> None:
        name = tag.name
        if name in _HEADINGS:
            self._kind = name
        elif name == "table":
            self._tables.append(_Table(tag.start))
        elif name in ("ul", "ol"):
            self._lists.append(1 if name == "ol" else None)
        elif name == "li":
            self._is_item = True
        elif name in self._depths:
            self._depths[name] += 1

    def _close(self, name: str) -> None:
        if self._mains and self._mains[-1] == name:
            self._separate()
            self._mains.pop()
        if name == "a":
            if self._in_link and "".join(self._words[self._link_from :]).strip() in _PERMALINKS:
                del self._words[self._link_from :]
            self._in_link = False
        elif name in _CELLS or name == "tr":
            self._end_cell()
        elif name in _PARAGRAPHS or name in _HEADINGS:
            self._separate()
            self._close_block(name)

    def _close_block(self, name: str) -> None:
        if name in _HEADINGS:
            self._kind = "paragraph"
        elif name == "table":
            self._end_table()
        elif name in ("ul", "ol"):
            del self._lists[-1:]
            self._is_item = False
        elif name == "li":
            self._is_item = False
        elif name in self._depths:
            self._depths[name] = max(0, self._depths[name] - 1)

    def _open_cell(self, name: str) -> None:
        if not self._tables:
            self._separate()
            return
        self._end_cell()
        current = self._tables[-1]
        if name in _CELLS:
            current.is_in_cell = True
        elif name == "tr":
            current.rows.append([])

    def _end_cell(self) -> None:
        """Put the words since the cell began in the table, or in a paragraph of a layout."""
        if not self._tables or self._tables[-1].is_layout or not self._tables[-1].is_in_cell:
            self._flush()
            return
        current = self._tables[-1]
        if not current.rows:
            current.rows.append([])
        current.rows[-1].append(self._take())
        current.is_in_cell = False

    def _separate(self) -> None:
        """End a paragraph; in a cell of values it is a space."""
        if self._tables and self._tables[-1].is_in_cell and not self._tables[-1].is_layout:
            self._words.append(" ")
        else:
            self._flush()

    def _flush_rows(self) -> None:
        current = self._tables[-1]
        if block := table(current.rows, self._line(current.start)):
            self._add(block)
        current.rows = []

    def _end_table(self) -> None:
        if self._tables:
            self._end_cell()
            self._flush_rows()
            self._tables.pop()

    def _flush(self) -> None:
        line = self._line(self._start or 0)
        if self._depths["pre"]:
            code = "".join(self._words).strip("\n")
            self._words, self._start = [], None
            if code.strip() and not _LINE_NUMBERS.match(code):
                self._add(fenced_block(code, "", line, level=len(self._lists)))
        elif words := self._take():
            self._add(self._prose(words, line))

    def _prose(self, words: str, line: int) -> Block:
        level = len(self._lists)
        if self._kind in _HEADINGS:
            return heading(" ".join(words.split()), _HEADINGS[self._kind], line)
        if self._is_item:
            return self._item(words, line, max(level, 1))
        kind: Kind = "quote" if self._depths["blockquote"] else "paragraph"
        return Block(kind, words, line, level)

    def _item(self, words: str, line: int, level: int) -> Block:
        self._is_item = False
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        marker = "- " if number is None else f"{number}. "
        above = self.blocks[-1] if self.blocks else None
        is_first = above is None or above.kind != "item"
        return item(words, marker, line, level, is_first=is_first)

    def _take(self) -> str:
        lines = "".join(self._words).split("\n")
        self._words, self._start, self._in_link = [], None, False
        return "\n".join(filter(None, (_SPACES.sub(" ", line).strip() for line in lines)))

    def _add(self, block: Block) -> None:
        self.blocks.append(block)
        if self._depths["main"] or self._mains:
            self.main.append(block)

    def _line(self, offset: int) -> int:
        return bisect_right(self._starts, offset)

    def _end_title(self) -> None:
        """End the title, at its end tag or any other tag."""
        if self._title is not None:
            if words := _SPACES.sub(" ", "".join(self._title)).strip():
                self.titles.append(words)
            self._title = None


class _Table:
    """A table while it is read; `is_layout` if its cells have headings, code or tables."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.rows: list[list[str]] = []
        self.is_layout = False
        self.is_in_cell = False
