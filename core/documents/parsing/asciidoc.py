"""AsciiDoc: its sections, lists, tables and listings, line by line."""

import re
from collections.abc import Iterator

from core.documents.model import Block, ParsedDocument, fenced_block, heading, item, table

_HEADING = re.compile(r"(={1,6}|#{1,6})\s+(\S.*?)(?:\s+\1)?\s*$")
_ITEM = re.compile(r"\s*(\*{1,5}|-|\.{1,5}|\d+\.)\s+(\S.*)$")
_TERM = re.compile(r"(\S.*?)::+(?:\s+(.*))?$")
_DELIMITED = re.compile(r"(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|```)\s*$")
_VERBATIM = {"-", ".", "`"}
_DROPPED = re.compile(
    r"(?:\[[^\]]*\]\s*$|:!?[\w-]+!?:|//(?!/)|(?:include|image|toc|ifdef|ifndef|endif)::|\.\w|'''|<<<)"
)
_SOURCE = re.compile(r"\[source,\s*([\w+#-]+)")
_MACRO = re.compile(
    r"(?:link|xref|https?|mailto|image|footnote|kbd|btn|menu):[^\s\[]{0,300}\[([^\]\n]{0,300})\]"
)
_CROSS = re.compile(r"<<[^<>,\n]{1,200}(?:,\s*([^<>\n]{1,200}))?>>")
_QUOTES = re.compile(r"(?<![\w*_`])(\*\*|__|``|[*_`+])(?=\S)([^*_`+\n]{1,300})(?<=\S)\1(?![\w*_`])")
_ATTRIBUTE = re.compile(r"\{[\w-]{1,60}\}")


def parse_asciidoc(text: str) -> ParsedDocument:
    """Return a document's title and blocks; the time is linear in the length of the text."""
    lines = re.split(r"\r\n?|\n", text.removeprefix("\ufeff"))
    blocks = tuple(_Reader(lines).blocks())
    title = next((block.title for block in blocks if block.kind == "heading"), None)
    return ParsedDocument(title, blocks)


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0
        self._language = ""
        self._after_item = False

    def blocks(self) -> Iterator[Block]:
        while self._at < len(self._lines):
            line, number = self._lines[self._at], self._at + 1
            self._at += 1
            if source := _SOURCE.match(line):
                self._language = source[1]
            elif line.startswith("|==="):
                yield from self._table(number)
            elif mark := _DELIMITED.match(line):
                if mark[1][0] in _VERBATIM:
                    yield from self._listing(mark[1], number)
                elif mark[1][0] == "/":
                    self._skip(mark[1])
            elif title := _HEADING.match(line):
                yield heading(_words(title[2]), len(title[1]), number)
                self._after_item = False
            elif entry := _ITEM.match(line):
                yield self._item(entry, number)
            elif line.strip() and not _DROPPED.match(line) and line.strip() != "+":
                yield from self._paragraph(line, number)

    def _item(self, entry: re.Match[str], number: int) -> Block:
        words = [entry[2], *self._continuation()]
        is_numbered = entry[1].strip("*-") != ""
        level = 1 if entry[1][0].isdigit() else len(entry[1])
        marker = "1. " if is_numbered else "- "
        is_first, self._after_item = not self._after_item, True
        return item(_words(" ".join(words)), marker, number, level, is_first=is_first)

    def _paragraph(self, line: str, number: int) -> Iterator[Block]:
        self._after_item = False
        if term := _TERM.match(line):
            line = f"{term[1]}: {term[2] or ''}".strip()
        if words := _words(" ".join([line.strip(), *self._continuation()])):
            yield Block("paragraph", words, number)

    def _continuation(self) -> Iterator[str]:
        """Yield the lines of the same paragraph, and pass over them."""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not line.strip() or line.strip() == "+" or _begins(line):
                return
            self._at += 1
            yield line.strip()

    def _listing(self, mark: str, number: int) -> Iterator[Block]:
        code = "\n".join(self._until(mark)).strip("\n")
        if code.strip():
            yield fenced_block(code, self._language, number + 1)
        self._language = ""

    def _table(self, number: int) -> Iterator[Block]:
        rows: list[list[str]] = []
        width = 0
        for line in self._until("|==="):
            cells = [_words(cell.strip()) for cell in line.split("|")[1:]]
            if len(cells) > 1 and not width:
                width = len(cells)
            if rows and len(rows[-1]) + len(cells) <= width and cells:
                rows[-1] += cells
            elif cells:
                rows.append(cells)
        block = table(rows, number)
        yield from () if block is None else (block,)

    def _skip(self, mark: str) -> None:
        for _ in self._until(mark):
            pass

    def _until(self, mark: str) -> Iterator[str]:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            if line.rstrip() == mark:
                return
            yield line


def _begins(line: str) -> bool:
    """Return whether a line begins another block."""
    patterns = (_HEADING, _ITEM, _DELIMITED, _DROPPED, _TERM)
    return line.startswith("|===") or any(pattern.match(line) for pattern in patterns)


def _words(text: str) -> str:
    """Return the words of inline markup."""
    text = _MACRO.sub(lambda macro: macro[1].rstrip("^"), text)
    text = _CROSS.sub(lambda cross: cross[1] or "", text)
    text = _ATTRIBUTE.sub("", _QUOTES.sub(lambda quoted: quoted[2], text))
    return " ".join(text.split())
