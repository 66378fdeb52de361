"""Sentence segmentation of prose, Markdown and docstrings.

Lines are first joined to blocks: a paragraph, a list item, a heading, one line of code. Then each
block is cut at its sentence ends, so that no sentence runs from one block into the next. Every
step is linear in the length of the text.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

from core.domain.text.abbreviations import (
    AFTER_ORDINAL,
    BEFORE_NUMBER,
    INITIALS,
    LETTER,
    NEVER_LAST,
    NEXT_LETTER,
    ORDINAL,
    SELDOM_LAST,
)

Span: TypeAlias = tuple[int, int]
"""`text[start:end]`, in code points."""

_FENCE = re.compile(r"\s*(?:```|~~~)")
_SIGNATURE = r"[\w.]+\((?:[^()]|\([^()]*\))*\)\s*(?:->.*)?$"
_CODE_LINE = rf">>>|\.\.\.(?:\s|$)|\$ |@\w|(?:async )?def \w|class \w+[(:]|{_SIGNATURE}"
_CODE = re.compile(rf"\s*(?:{_CODE_LINE})")
_HEADING = re.compile(r"\s*#{1,6}\s")
_RULE_OR_TABLE = r"([-=~^*_#+.])\1{2,}\s*$|\|"
_ALONE = re.compile(rf"\s*(?:$|{_RULE_OR_TABLE}|#{{1,6}}\s|{_CODE_LINE})")
"""A line that is a block of its own: blank, a rule, a table's row, a heading, or code."""
_ITEM = re.compile(r"\s*(?:[-*+•]|\(?\d{1,3}[.)]|[a-z]\))\s+")
# `:param x: …`, `timeout (float): …`, `timeout -- …`
_FIELD = re.compile(r"\s*(?::\w[^:\n]*:\s|\*{0,2}\w+(?: ?\([^()\n]*\))?:\s|\*{0,2}\w+\s+--?\s)")

# A mark, closing quotes or brackets, then white space; or the full stop of a script that may put no
# space after it: Chinese, Japanese, Khmer, Burmese, Tibetan, Devanagari, Ethiopic, Armenian.
_CLOSING = "\"'”’»)\\]`*_"
_UNSPACED_STOPS = "。！？｡។៕။།༎༏༐༑।॥።։"
_ENDS = ".!?…؟۔"
_MARK = re.compile(  # the search skips to the first set
    rf"[{_ENDS}{_UNSPACED_STOPS}]"
    rf"(?:(?<=[{_ENDS}])(?<![{_ENDS}]{{2}})[{_ENDS}]*+[{_CLOSING}]*+(?=\s)"
    rf"|(?<=[{_UNSPACED_STOPS}])[{_UNSPACED_STOPS}]*+[」』”’）〉》】]*+)"
)
_OPENING = "([{\"'“‘«`*_"
_LONGEST_ABBREVIATION = 12

_THAI_OR_LAO = "\u0e00-\u0eff"
_CLAUSE_END = re.compile(rf"(?<=[{_THAI_OR_LAO}]) +(?=[{_THAI_OR_LAO}])")
_SHORTEST_CLAUSE = 60
"""Characters from which on a space ends a sentence in Thai and Lao, which have no full stop."""

_UNSPACED = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_UNSPACED += "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff"
"""Scripts without spaces between words: no space stands for a line end between two of these."""
_UNSPACED_BREAK = re.compile(rf"(?<=[{_UNSPACED}])[ \t]*\n[ \t]*(?=[{_UNSPACED}])")
_LINE_BREAK = re.compile(r"[ \t]*(?:\r\n?|\n)[ \t]*")


def join_lines(text: str) -> str:
    """Return wrapped lines as one line."""
    if "\n" not in text and "\r" not in text:
        return text
    return _LINE_BREAK.sub(" ", _UNSPACED_BREAK.sub("", text))


def sentence_spans(text: str) -> list[Span]:
    """Return the sentences in reading order: disjoint, not empty, no white space at their ends.

    Every character is in a sentence, except white space and the markers of list items.
    """
    return [span for block in _blocks(text) for span in _cut(text, *block)]


def is_heading(line: str) -> bool:
    """Return whether a line is a Markdown heading (`# …`)."""
    return _HEADING.match(line) is not None


def is_code(line: str) -> bool:
    """Return whether a line looks like code: a prompt, a definition, a signature, a fence."""
    return (_CODE.match(line) or _FENCE.match(line)) is not None


def trim(text: str, start: int, end: int) -> Span:
    """Return the span without the white space at its ends; empty if there is nothing else."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _blocks(text: str) -> Iterator[Span]:
    fenced = False
    paragraph: list[Span] = []
    for start, end in _lines(text):
        line = text[start:end]
        fence = _FENCE.match(line) is not None
        if fenced or fence or _ALONE.match(line):
            yield from _paragraph_blocks(text, paragraph)
            paragraph = []
            if line.strip():
                yield start, end
            fenced ^= fence
        else:
            paragraph.append((start, end))
    yield from _paragraph_blocks(text, paragraph)


def _lines(text: str) -> Iterator[Span]:
    start = 0
    for line in text.splitlines(keepends=True):
        yield start, start + len(line)
        start += len(line)


def _paragraph_blocks(text: str, lines: Sequence[Span]) -> Iterator[Span]:
    """Yield the blocks of a paragraph: lines are joined where a sentence may run on."""
    if not lines:
        return
    rows = [text[start:end].rstrip() for start, end in lines]
    width = max(map(len, rows))
    first = 0
    for index, (above, row) in enumerate(pairwise(rows), start=1):
        if _breaks(above, row, width, hanging=index - first > 1):
            yield lines[first][0], lines[index - 1][1]
            first = index
    yield lines[first][0], lines[-1][1]


def _breaks(above: str, row: str, width: int, *, hanging: bool) -> bool:
    """Return whether a new block begins with `row`.

    A line with room for the next line's first word was ended on purpose, unless the next line
    begins like the middle of a sentence.
    """
    if _ITEM.match(row) or _FIELD.match(row) or above.endswith(":"):
        return True
    if hanging and _indent(row) < _indent(above):
        return True
    word = row.split(maxsplit=1)[0]
    has_room = len(above) + 1 + len(word) <= width
    return has_room and word[0].isalpha() and not word[0].islower()


def _indent(row: str) -> int:
    return len(row) - len(row.lstrip())


def _cut(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the sentences of one block."""
    marker = _ITEM.match(text, start, end)
    start, end = trim(text, marker.end() if marker else start, end)
    for mark in _MARK.finditer(text, start, end):
        if _is_last(text, start, mark) and mark.end() < end:
            yield from _clauses(text, start, mark.end())
            start, _ = trim(text, mark.end(), end)
    if start < end:
        yield from _clauses(text, start, end)


def _clauses(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield a sentence, or the clauses of one in Thai or Lao, where a space ends it."""
    if end - start < 2 * _SHORTEST_CLAUSE:
        yield start, end
        return
    for space in _CLAUSE_END.finditer(text, start, end):
        if space.start() - start >= _SHORTEST_CLAUSE <= end - space.end():
            yield start, space.start()
            start = space.end()
    yield start, end


def _is_last(text: str, start: int, mark: re.Match[str]) -> bool:
    """Return whether the sentence from `start` ends with this mark."""
    rest = text[mark.end() : mark.end() + 80].lstrip().lstrip(_OPENING)
    goes_on = rest[:1].islower()
    if mark.group()[0] in _UNSPACED_STOPS:
        return True
    if mark.group() != ".":
        return not goes_on
    near = text[max(start, mark.start() - _LONGEST_ABBREVIATION) : mark.end()]
    *_, before, word = ["", "", *near.rsplit(maxsplit=2)]
    word = word.lstrip(_OPENING)
    if NEVER_LAST.fullmatch(word) or INITIALS.fullmatch(word):
        return False
    if LETTER.fullmatch(word) and (NEXT_LETTER.match(rest) or LETTER.fullmatch(before)):
        return False
    if BEFORE_NUMBER.fullmatch(word):
        return not rest[:1].isdigit()
    if ORDINAL.fullmatch(word) and (goes_on or AFTER_ORDINAL.match(rest)):
        return False
    return not (goes_on and SELDOM_LAST.fullmatch(word))
