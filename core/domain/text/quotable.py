"""The quotable parts of a chunk: sentences of prose, rows of tables, and whole code blocks.

A chunk of a document with a media type has clean text; one of a text that kept its characters may
have any markup, which is left out here: headings alone, front matter, link definitions, comments,
template tags, badges, and the marks of admonitions and directives.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from core.domain.text.sentences import Span, sentence_spans, trim

QuotableKind = Literal["prose", "row", "code"]


@dataclass(frozen=True, slots=True)
class Quotable:
    """A part of a text that may be quoted, `text[start:end]`.

    A row has the span of its table's header, if the table has one.
    """

    kind: QuotableKind
    start: int
    end: int
    header: Span | None = None


_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|$)")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_ROW = re.compile(r"\s*\|")
_DELIMITER = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-*:?\s*)*$")
_UNDERLINE = re.compile(r"""\s*([-=~^*_#+."'`:])\1{2,}\s*$""")
_HEADING = re.compile(r"\s*(?:#{1,6}|={1,6})\s")
_KEY = re.compile(r"[\w.-]+\s*[:=]|#|\s*$")
_MARKUP_LINE = re.compile(
    r"\s*(?:"
    r"\[[^\]\n]+\]:\s*\S+"  # a link's definition
    r"|\[?!\[[^\n]*\)\s*$"  # an image or a badge
    r"|[:/]{3,}|(?:!!!|\?\?\?\+?|===)\s"  # admonitions and tabs
    r"|\.\.(?:\s|$)|:[\w-]+:\s*$"  # reStructuredText's directives, targets, comments and options
    r"|\{[%*{:#][^\n]*\}\s*$|--8<--|\[\[?_?TOC_?\]\]?\s*$"  # template tags
    r"|<[/!?]?[A-Za-z-][^\n]*>\s*$"  # a line of HTML
    r"|(?:import|export)\s[^\n]*(?:from|=)[^\n]*$"  # MDX
    r")",
    re.IGNORECASE,
)
_TAGS_WITHIN = ("{%", "{*", "%}", "*}", "{{", "}}", "[![", "<!--", "-->")


def quotable_spans(text: str) -> list[Quotable]:
    """Return what may be quoted, in reading order and disjoint; the time is linear."""
    return list(_Scan(text).spans())


class _Scan:
    """A pass over the lines of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [m.span() for m in _LINE.finditer(text) if m.end() > m.start()]
        self._rows = [text[start:end] for start, end in self._lines]
        self._at = 0

    def spans(self) -> Iterator[Quotable]:
        self._skip_front_matter()
        prose: Span | None = None
        while self._at < len(self._lines):
            start, end = self._lines[self._at]
            spans = self._special(self._rows[self._at])
            if spans is None:
                prose = (start if prose is None else prose[0], end)
                self._at += 1
                continue
            if prose is not None:
                yield from self._sentences(*prose)
                prose = None
            yield from spans
        if prose is not None:
            yield from self._sentences(*prose)

    def _special(self, line: str) -> list[Quotable] | None:
        """Return what a line that is not prose begins, and pass over it; `None` for prose."""
        if fence := _FENCE.match(line):
            return self._code(fence[1])
        if _ROW.match(line):
            return self._table()
        if "<!--" in line:
            return self._skip_comment()
        if self._is_underlined():
            self._at += 2
        elif _HEADING.match(line) or _UNDERLINE.match(line) or _MARKUP_LINE.match(line):
            self._at += 1
        else:
            return None
        return []

    def _is_underlined(self) -> bool:
        """Return whether the line is a heading by the line below it, and stands alone above."""
        if self._at + 1 >= len(self._rows) or not _UNDERLINE.match(self._rows[self._at + 1]):
            return False
        above = self._rows[self._at - 1] if self._at else ""
        return bool(self._rows[self._at].strip()) and not above.strip()

    def _skip_front_matter(self) -> None:
        lines = [row.strip() for row in self._rows[:2]]
        if len(lines) < 2 or lines[0] not in ("---", "+++") or not _KEY.match(lines[1]):
            return
        for number, row in enumerate(self._rows[1:], start=1):
            if row.strip() in (lines[0], "..."):
                self._at = number + 1
                return

    def _skip_comment(self) -> list[Quotable]:
        while self._at < len(self._lines):
            self._at += 1
            if "-->" in self._rows[self._at - 1]:
                break
        return []

    def _code(self, marks: str) -> list[Quotable]:
        first = self._at
        self._at += 1
        while self._at < len(self._lines):
            line = self._rows[self._at].strip()
            self._at += 1
            if line.startswith(marks) and not line.strip(marks[0]):
                break
        start, end = trim(self._text, self._lines[first][0], self._lines[self._at - 1][1])
        return [Quotable("code", start, end)]

    def _table(self) -> list[Quotable]:
        rows: list[Span] = []
        header: Span | None = None
        while self._at < len(self._lines):
            span = trim(self._text, *self._lines[self._at])
            line = self._text[slice(*span)]
            if not _ROW.match(line):
                break
            if not _DELIMITER.match(line):
                rows.append(span)
            elif len(rows) == 1 and header is None:
                header = rows.pop()
            self._at += 1
        return [Quotable("row", start, end, header) for start, end in rows]

    def _sentences(self, start: int, end: int) -> Iterator[Quotable]:
        text = self._text[start:end]
        for first, last in sentence_spans(text):
            if not any(tag in text[first:last] for tag in _TAGS_WITHIN):
                yield Quotable("prose", start + first, start + last)
