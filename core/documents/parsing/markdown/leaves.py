"""The leaves of a Markdown document in reading order: what has words, and stands in a line itself.

The parser is pulldown-cmark, by pyromark: its time is linear in the length of the source.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pyromark import Options, events_with_range

from core.documents.parsing.inline import InlineText

LeafKind: TypeAlias = Literal["heading", "paragraph", "table", "code", "html"]

_OPTIONS = (
    Options.ENABLE_TABLES
    | Options.ENABLE_FOOTNOTES
    | Options.ENABLE_STRIKETHROUGH
    | Options.ENABLE_TASKLISTS
    | Options.ENABLE_HEADING_ATTRIBUTES
    | Options.ENABLE_GFM
)
_INLINE = {"Text", "Code", "InlineHtml", "FootnoteReference", "TaskListMarker"}
_SPANS = {"Emphasis", "Strong", "Strikethrough", "Superscript", "Subscript"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A paragraph, heading, table, code block or block of HTML.

    `source[start:end]` are its bytes in UTF-8, with the marker of the list item that it opens.
    `marker` is that item's (`- `, `3. `); `level` is the depth of its list, or a heading's level.
    `quote` are the bytes of the outermost quote around it.
    """

    kind: LeafKind
    text: str
    start: int
    end: int
    level: int = 0
    marker: str = ""
    language: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    quote: tuple[int, int] | None = None
    follows_item: bool = False


def markdown_leaves(source: str) -> Iterator[Leaf]:
    """Yield the leaves of a text."""
    reader = _Reader()
    for event, span in events_with_range(source, options=_OPTIONS, merge_text=True):
        yield from reader.read(event, span["start"], span["end"])
    yield from reader.close()


@dataclass(slots=True)
class _Open:
    """A leaf that is being read; `is_implicit` if it is a tight item's, which has no paragraph."""

    kind: LeafKind
    start: int
    end: int
    is_implicit: bool = False
    level: int = 0
    language: str = ""


@dataclass(slots=True)
class _List:
    """A list; `first` is its first item's number, `length` how many items have begun."""

    first: int | None
    length: int = 0


class _Reader:
    """The state of a pass over the events."""

    def __init__(self) -> None:
        self._lists: list[_List] = []
        self._quotes: list[tuple[int, int]] = []
        self._begins: int | None = None
        self._marker = ""
        self._follows_item = False
        self._open: _Open | None = None
        self._inline = InlineText()
        self._raw: list[str] = []
        self._rows: list[list[str]] = []

    def read(self, event: Any, start: int, end: int) -> Iterator[Leaf]:
        name, value = _name_and_value(event)
        if name == "Start":
            yield from self._start(*_name_and_value(value), start, end)
        elif name == "End":
            yield from self._end(_name_and_value(value)[0])
        elif name in ("SoftBreak", "HardBreak"):
            self._break(name)
        elif name == "Html" or (name == "Text" and self._is_open("code", "html")):
            self._raw.append(value)
        elif name in _INLINE:
            self._add(name, value, start, end)

    def close(self) -> Iterator[Leaf]:
        """Yield the implicit leaf that is still open."""
        if self._open is not None and self._open.is_implicit:
            yield from self._finish()

    def _start(self, name: str, value: Any, start: int, end: int) -> Iterator[Leaf]:
        if name in _SPANS:
            self._ensure(start, end)
            return
        if name in ("Link", "Image"):
            self._ensure(start, end)
            self._inline.open(value["dest_url"])
            return
        yield from self.close()
        if name == "List":
            self._lists.append(_List(value))
        elif name == "Item":
            self._begin_item(start)
        elif name == "BlockQuote":
            self._quotes.append((start, end))
            self._begin_at(start)
        elif name == "FootnoteDefinition":
            self._begin_at(start)
        else:
            self._start_leaf(name, value, start, end)

    def _start_leaf(self, name: str, value: Any, start: int, end: int) -> None:
        if name == "Paragraph":
            self._open = _Open("paragraph", start, end)
        elif name == "Heading":
            self._open = _Open("heading", start, end, level=int(value["level"][1]))
        elif name == "CodeBlock":
            language = value["Fenced"] if isinstance(value, dict) else ""
            self._open = _Open("code", start, end, language=language)
        elif name == "HtmlBlock":
            self._open = _Open("html", start, end)
        elif name == "Table":
            self._open = _Open("table", start, end)
            self._rows = []
        elif name in ("TableHead", "TableRow"):
            self._rows.append([])

    def _end(self, name: str) -> Iterator[Leaf]:
        if name == "Link":
            self._inline.close_link()
        elif name == "Image":
            self._inline.close_image()
        elif name == "TableCell":
            self._rows[-1].append(self._inline.read())
            self._inline = InlineText()
        elif name == "List":
            yield from self.close()
            self._lists.pop()
        elif name == "Item":
            yield from self.close()
            self._marker, self._begins = "", None
        elif name == "BlockQuote":
            yield from self.close()
            self._quotes.pop()
        elif name in ("Paragraph", "Heading", "CodeBlock", "HtmlBlock", "Table"):
            yield from self._finish()

    def _begin_item(self, start: int) -> None:
        items = self._lists[-1]
        self._marker = "- " if items.first is None else f"{items.first + items.length}. "
        self._follows_item = len(self._lists) > 1 or items.length > 0
        items.length += 1
        self._begin_at(start)

    def _begin_at(self, start: int) -> None:
        if self._begins is None:
            self._begins = start

    def _ensure(self, start: int, end: int) -> None:
        """Open the leaf of a tight item, which the parser gives no paragraph."""
        if self._open is None:
            self._open = _Open("paragraph", start, end, is_implicit=True)
        elif self._open.is_implicit:
            self._open.end = end

    def _add(self, name: str, value: Any, start: int, end: int) -> None:
        self._ensure(start, end)
        if name == "Text":
            self._inline.text(value)
        elif name == "Code":
            self._inline.code(value)
        elif name == "InlineHtml":
            self._inline.html(value)
        elif name == "TaskListMarker":
            self._inline.text("[x] " if value else "[ ] ")

    def _break(self, name: str) -> None:
        if name == "SoftBreak":
            self._inline.soft_break()
        else:
            self._inline.hard_break()

    def _is_open(self, *kinds: str) -> bool:
        return self._open is not None and self._open.kind in kinds

    def _finish(self) -> Iterator[Leaf]:
        leaf = self._open
        assert leaf is not None
        text = "".join(self._raw) if leaf.kind in ("code", "html") else self._inline.read()
        yield Leaf(
            kind=leaf.kind,
            text=text,
            start=leaf.start if self._begins is None else self._begins,
            end=leaf.end,
            level=leaf.level or len(self._lists),
            marker=self._marker,
            language=leaf.language,
            rows=tuple(map(tuple, self._rows)) if leaf.kind == "table" else (),
            quote=self._quotes[0] if self._quotes else None,
            follows_item=bool(self._marker) and self._follows_item,
        )
        self._open, self._begins, self._marker = None, None, ""
        self._inline, self._raw = InlineText(), []


def _name_and_value(event: Any) -> tuple[str, Any]:
    """Return an event's name, and its value if it has one."""
    if isinstance(event, str):
        return event, None
    ((name, value),) = event.items()
    return name, value
