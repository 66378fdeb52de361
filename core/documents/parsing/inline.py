"""The words of inline markup: links are their words, template tags and badges are dropped."""

import re
from dataclasses import dataclass, field

from core.domain.text.sentences import join_lines

_CODE = "\ue000"
"""Stands for each character of a code span while template tags are looked for."""
_MAY_HAVE_TAGS = re.compile(r"[{}\[]")
_TAG = re.compile(
    r"\{\{[<%][^\n]{0,800}?[>%]\}\}"  # Hugo
    r"|\{\{[^{}\n]{0,200}\}\}"  # Jinja, Vue
    r"|\{%[^\n]{0,800}?%\}"  # Jinja, Liquid
    r"|\{\*[^\n]{0,800}?\*\}"  # FastAPI's documentation
    r"|\{#[^{}\n]{0,400}\}"  # a comment or an anchor
    r"|\{/\*[^\n]{0,800}?\*/\}"  # MDX
    r"|\{:[^{}\n]{0,200}\}"  # kramdown
    r"|\{\s*\.[A-Za-z][^{}\n]{0,200}\}"  # attributes
    r"""|\{\s*[\w-]{1,40}=["'][^{}\n]{0,200}\}"""
    rf"|\{{[A-Za-z][\w:+-]{{0,60}}\}}(?={_CODE})"  # MyST
    r"|\[TOC\]|\[\[_?TOC_?\]\]"
    r"|\[\[(?P<page>[^\W\d][^\[\]|\n]{0,200})(?:\|(?P<label>[^\[\]\n]{1,200}))?\]\]",  # wikis
    re.IGNORECASE,
)
_ROLE_TARGET = re.compile(r"^([^<>`]+?)\s*<[^<>]+>$")
_SPACES = re.compile(r"[ \t]{2,}")
_BADGE = re.compile(
    r"badge|shields\.io|travis-ci|codecov\.io|coveralls|circleci|appveyor|actions/workflows",
    re.IGNORECASE,
)
_PERMALINKS = {"¶", "#", "🔗", "§"}
_BREAK = re.compile(r"<br\b", re.IGNORECASE)


@dataclass(slots=True)
class _Span:
    """The words of a link, an image or a paragraph; `mask` has `_CODE` for each one of code."""

    words: list[str] = field(default_factory=list)
    mask: list[str] = field(default_factory=list)
    url: str = ""

    def add(self, words: str, mask: str) -> None:
        self.words.append(words)
        self.mask.append(mask)


class InlineText:
    """The words of a paragraph, a heading or a table cell while it is read."""

    def __init__(self) -> None:
        self._spans = [_Span()]

    def text(self, words: str) -> None:
        self._spans[-1].add(words, words)

    def code(self, words: str) -> None:
        """Add a code span; a MyST role's words stand before its target."""
        before = self._spans[-1].words
        if before and before[-1].endswith("}") and (target := _ROLE_TARGET.match(words)):
            words = target[1]
        self._spans[-1].add(words, _CODE * len(words))

    def soft_break(self) -> None:
        """End a source line: a space, but none between characters of a script without spaces."""
        self.text("\n")

    def hard_break(self) -> None:
        self.text("\x1e")

    def html(self, tag: str) -> None:
        """Drop a tag or comment; a line break stays."""
        if _BREAK.match(tag):
            self.hard_break()

    def open(self, url: str) -> None:
        """Begin a link or an image."""
        self._spans.append(_Span(url=url))

    def close_link(self) -> None:
        link = self._spans.pop()
        words = "".join(link.words).strip()
        if words not in _PERMALINKS:
            self._spans[-1].add("".join(link.words), "".join(link.mask))

    def close_image(self) -> None:
        """Add an image's alternative text, unless it is a badge: linked, or from such a server."""
        image = self._spans.pop()
        is_linked = len(self._spans) > 1
        if not is_linked and not _BADGE.search(image.url):
            self._spans[-1].add("".join(image.words), "".join(image.mask))

    def read(self) -> str:
        """Return the words: lines joined, template tags dropped, `\\n` only for a hard break."""
        words, mask = "".join(self._spans[0].words), "".join(self._spans[0].mask)
        if _MAY_HAVE_TAGS.search(mask):
            words = _without_tags(words, mask.replace("\n", " "))
        lines = (_SPACES.sub(" ", join_lines(line)).strip() for line in words.split("\x1e"))
        return "\n".join(filter(None, lines))


def _without_tags(words: str, mask: str) -> str:
    """Drop template tags, and put a wiki link's label in its place."""
    parts: list[str] = []
    reached = 0
    for tag in _TAG.finditer(mask):
        label = tag.span("label" if tag["label"] else "page")
        parts += [words[reached : tag.start()], words[slice(*label)] if tag["page"] else ""]
        reached = tag.end()
    return "".join(parts) + words[reached:]
