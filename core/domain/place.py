"""The place of a chunk in its source."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

Box: TypeAlias = tuple[float, float, float, float]
"""The left, top, right and bottom edge in PDF points from the shown page's top left corner."""

MAX_HEADINGS = 64
MAX_BOXES = 512
MAX_HEADING_LENGTH = 1_000
MAX_TITLE_LENGTH = 16 * 1024
"""The limit of a title or a source, since each hit may repeat them."""

_SEPARATOR = " › "


@dataclass(frozen=True, slots=True)
class BoxedText:
    """The box of a chunk's text from `start`, in Unicode code points, to the start of the next."""

    start: int
    box: Box

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "BoxedText":
        """Return what JSON has, in which a box is a list."""
        return cls(fields["start"], tuple(fields["box"]))


@dataclass(frozen=True, slots=True)
class Place:
    """The document's title, the headings above a chunk, outermost first, and where it begins.

    `page` and `line` count from 1. `box` is on `page`; `boxes` are those of the chunk's sentences
    and rows, ascending by their starts.
    """

    title: str | None = None
    headings: tuple[str, ...] = ()
    page: int | None = None
    box: Box | None = None
    line: int | None = None
    boxes: tuple[BoxedText, ...] = ()

    def present_fields(self) -> dict[str, Any]:
        """Return the fields as plain values, without those that are absent."""
        return {name: value for name, value in asdict(self).items() if value not in (None, ())}

    def to_json(self) -> str:
        """Return compact JSON without the fields that are absent."""
        return json.dumps(self.present_fields(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Place":
        fields: dict[str, Any] = json.loads(text)
        for name in fields.keys() & {"headings", "box"}:
            fields[name] = tuple(fields[name])
        fields["boxes"] = tuple(map(BoxedText.from_fields, fields.get("boxes", ())))
        return cls(**fields)


def union(boxes: Iterable[Box]) -> Box:
    """Return the smallest box around at least one box."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def context_of(title: str | None, headings: Iterable[str]) -> str:
    """Return the title and the headings that differ from it, as one line; may be empty."""
    name, *below = (" ".join(part.split()) for part in (title or "", *headings))
    return _SEPARATOR.join(filter(None, [name, *(part for part in below if part != name)]))


def title_of(context: str) -> str:
    """Return the first part of a context, which is the title if there is one."""
    return context.partition(_SEPARATOR)[0]


def indexed_text(text: str, place: Place | None) -> str:
    """Return what is embedded and lexically indexed: the context on its own line, then the text.

    A chunk without context is indexed by its text alone. A quote is of the text alone.
    """
    context = context_of(place.title, place.headings) if place else ""
    return f"{context}\n{text}" if context else text
