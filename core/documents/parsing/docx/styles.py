"""Styles and lists of Word documents: the headings and items that paragraphs are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.documents.parsing.docx.words import W

_HEADING = re.compile(r"heading (\d)$")
_DEEPEST_CHAIN = 20
_MOST_LEVELS = 9

Numbered = tuple[str, int]
"""The id of a list and the level in it, from 0."""


@dataclass(frozen=True, slots=True)
class Style:
    """A paragraph's style: `name` in lower case, the heading's level from 1, the list it is in."""

    name: str
    heading: int | None
    numbering: Numbered | None


class Styles:
    """The paragraph styles of a document, each with what it takes from those it is based on."""

    def __init__(self, document: Any) -> None:
        self._elements = {
            style.get(f"{W}styleId", ""): style
            for style in document.styles.element.iter(f"{W}style")
        }

    def of(self, paragraph: Any) -> Style:
        """Return the style of a paragraph, its own properties first."""
        own = paragraph.find(f"{W}pPr/{W}pStyle")
        chain = list(self._chain("" if own is None else own.get(f"{W}val", "")))
        names = [_value(style, f"{W}name") or "" for style in chain]
        name = names[0].lower() if names else ""
        properties = [holder.find(f"{W}pPr") for holder in (paragraph, *chain)]
        known = [one for one in properties if one is not None]
        return Style(name, _heading_level(names, known), _list_of(name, known))

    def _chain(self, id_: str) -> Iterator[Any]:
        for _ in range(_DEEPEST_CHAIN):
            if (style := self._elements.get(id_)) is None:
                return
            yield style
            id_ = _value(style, f"{W}basedOn") or ""


class Numbering:
    """The lists of a document, and how far each has counted."""

    def __init__(self, document: Any) -> None:
        self._abstract: dict[str, str] = {}
        self._formats: dict[tuple[str, int], str] = {}
        self._counts: dict[str, list[int]] = {}
        for relation in document.part.rels.values():
            if relation.reltype.endswith("/numbering") and not relation.is_external:
                self._read(relation.target_part.element)

    def next(self, id_: str, level: int) -> tuple[int, str]:
        """Return the depth from 1 and the marker of the next item of a list."""
        fallback = "decimal" if "number" in id_ else "bullet"
        shape = self._formats.get((self._abstract.get(id_, id_), level), fallback)
        counts = self._counts.setdefault(id_, [0] * _MOST_LEVELS)
        counts[level] += 1
        counts[level + 1 :] = [0] * (_MOST_LEVELS - level - 1)
        return level + 1, "- " if shape in ("bullet", "none") else f"{counts[level]}. "

    def _read(self, numbering: Any) -> None:
        for number in numbering.iter(f"{W}num"):
            self._abstract[number.get(f"{W}numId", "")] = _value(number, f"{W}abstractNumId") or ""
        for abstract in numbering.iter(f"{W}abstractNum"):
            for level in abstract.iter(f"{W}lvl"):
                place = _level(level.get(f"{W}ilvl"))
                shape = _value(level, f"{W}numFmt") or "decimal"
                self._formats[abstract.get(f"{W}abstractNumId", ""), place] = shape


def _heading_level(names: list[str], properties: list[Any]) -> int | None:
    for name in names:
        if name.lower() == "title":
            return 1
        if match := _HEADING.match(name.lower()):
            return max(int(match[1]), 1)
    for one in properties:
        level = _value(one, f"{W}outlineLvl")
        if level is not None and level.isdigit():
            return int(level) + 1 if int(level) < _MOST_LEVELS else None
    return None


def _list_of(name: str, properties: list[Any]) -> Numbered | None:
    """Return the list of a paragraph; the built-in styles of lists are one even without it."""
    for one in properties:
        id_ = _value(one, f"{W}numPr/{W}numId")
        if id_ is not None:
            place = _level(_value(one, f"{W}numPr/{W}ilvl"))
            return None if id_ == "0" else (id_, place)
    if name.startswith("list ") and name != "list paragraph":
        depth = int(name[-1]) if name[-1] in "123456789" else 1
        return name, depth - 1
    return None


def _level(text: str | None) -> int:
    return min(int(text), _MOST_LEVELS - 1) if text is not None and text.isdigit() else 0


def _value(element: Any, path: str) -> str | None:
    child = element.find(path)
    value: str | None = None if child is None else child.get(f"{W}val")
    return value
