"""HTML tokenizer whose time is linear in the length of the source.

The tokenizer of the HTML standard, without its errors and script states. Python's
`html.parser` takes two minutes for some files of 60 KB; tree builders do for deeply nested files.

Source: https://html.spec.whatwg.org/multipage/parsing.html#tokenization
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Literal, TypeAlias

_RAW = frozenset({"iframe", "noembed", "noframes", "noscript", "script", "style"})
_RAW_BUT_REFERENCES = frozenset({"textarea", "title"})
_NAME = re.compile(r"[a-zA-Z][^\s/>]*")
_COMMENT_END = re.compile(r"--!?>")
_TAG_MARK = re.compile(r""">|=\s*["']""")
_CDATA = "![CDATA["


@dataclass(frozen=True, slots=True)
class Text:
    """A text between tags; `start` is its offset in the source."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag; `name` is in lower case, `start` the offset of its `<`.

    `attributes` are those of a start tag as the source has them.
    """

    kind: Literal["start", "end"]
    name: str
    start: int
    attributes: str = ""


Token: TypeAlias = Text | Tag


def tokens(source: str) -> Iterator[Token]:
    """Yield texts with resolved character references, and tags; omit comments and the like.

    Browsers discard an unfinished tag or comment at the end, and so does this function.
    """
    yield from _Tokenizer(source).tokens()


class _Tokenizer:
    """A pass over a source; `_unclosed` are elements whose end tag is known to be missing."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._unclosed: set[str] = set()

    def tokens(self) -> Iterator[Token]:
        source = self._source
        place = 0
        while (start := source.find("<", place)) >= 0:
            if start > place:
                yield Text(unescape(source[place:start]), place)
            place = yield from self._markup(start)
        if place < len(source):
            yield Text(unescape(source[place:]), place)

    def _markup(self, start: int) -> Generator[Token, None, int]:
        """Yield the tokens of the markup at `start`, a `<`; return the offset of its end."""
        source, after = self._source, start + 1
        if source.startswith("!--", after):
            return _comment_end(source, start)
        if source.startswith(_CDATA, after):
            end = _find_or_end(source, "]]>", start)
            yield Text(source[after + len(_CDATA) : end], start)
            return min(end + len("]]>"), len(source))
        is_end = source.startswith("/", after)
        name = _NAME.match(source, after + is_end)
        if name is not None:
            return (yield from self._tag(name, is_end=is_end))
        if source.startswith(("!", "?", "/"), after):
            return _find_or_end(source, ">", start) + 1
        yield Text("<", start)
        return after

    def _tag(self, name: re.Match[str], *, is_end: bool) -> Generator[Token, None, int]:
        end = _tag_end(self._source, name.end())
        if end is None:
            return len(self._source)
        tag = name[0].lower()
        if not is_end:
            yield Tag("start", tag, name.start(), self._source[name.end() : end - 1])
        if is_end or self._source[end - 2] == "/":
            yield Tag("end", tag, name.start())
        elif tag in _RAW:
            return self._raw_end(tag, end) or len(self._source)
        elif tag in _RAW_BUT_REFERENCES and (raw_end := self._raw_end(tag, end)) is not None:
            yield Text(unescape(self._source[end:raw_end]), end)
            return raw_end
        return end

    def _raw_end(self, tag: str, place: int) -> int | None:
        """Return the offset of the end tag of an element without markup in it."""
        if tag in self._unclosed:
            return None
        match = re.compile(rf"</{tag}(?=[\s/>])", re.IGNORECASE).search(self._source, place)
        if match is None:
            self._unclosed.add(tag)
            return None
        return match.start()


def _tag_end(source: str, place: int) -> int | None:
    """Return the offset after a tag's `>`, past the quoted values of attributes."""
    while (mark := _TAG_MARK.search(source, place)) is not None:
        if mark[0] == ">":
            return mark.end()
        closing = source.find(mark[0][-1], mark.end())
        if closing < 0:
            return None
        place = closing + 1
    return None


def _comment_end(source: str, start: int) -> int:
    begun = start + len("<!--")
    if source.startswith((">", "->"), begun):
        return source.index(">", begun) + 1
    match = _COMMENT_END.search(source, begun)
    return len(source) if match is None else match.end()


def _find_or_end(source: str, what: str, start: int) -> int:
    place = source.find(what, start)
    return len(source) if place < 0 else place
