"""Wire models of a chunk's place in its source."""

from itertools import pairwise
from typing import Annotated, Self, TypeAlias, cast

from pydantic import ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from api.wire.base import RequestModel, ResponseModel
from core.domain.place import (
    MAX_BOXES,
    MAX_HEADING_LENGTH,
    MAX_HEADINGS,
    MAX_TITLE_LENGTH,
    Box,
    BoxedText,
    Place,
)

_Count: TypeAlias = Annotated[int, Field(ge=1, le=2**31 - 1)]
_Heading: TypeAlias = Annotated[str, Field(max_length=MAX_HEADING_LENGTH)]
_Coordinate: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
_BOX = "left, top, right and bottom edge in PDF points from the shown page's top left corner"
_Box: TypeAlias = Annotated[list[_Coordinate], Field(min_length=4, max_length=4, description=_BOX)]


class BoxedTextRequest(RequestModel):
    """The box of a chunk's text from `start`, in Unicode code points, to the start of the next."""

    start: int = Field(ge=0, le=2**31 - 1)
    box: _Box


class PlaceRequest(RequestModel):
    """The place of a chunk in its source.

    The title and the headings are embedded and lexically indexed with the text.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"title": "Tamralipti", "headings": ["Harbour", "Depth"], "line": 12}]
        }
    )

    title: str | None = Field(default=None, max_length=MAX_TITLE_LENGTH)
    headings: list[_Heading] = Field(
        default_factory=list, max_length=MAX_HEADINGS, description="outermost first"
    )
    page: _Count | None = None
    box: _Box | None = None
    line: _Count | None = Field(default=None, description="the line of the source it begins on")
    boxes: list[BoxedTextRequest] | None = Field(
        default=None,
        max_length=MAX_BOXES,
        description="the boxes of the text's sentences or rows, ascending by `start`",
    )

    @field_validator("boxes")
    @classmethod
    def _ascend(cls, boxes: list[BoxedTextRequest] | None) -> list[BoxedTextRequest] | None:
        if any(above.start >= below.start for above, below in pairwise(boxes or ())):
            raise PydanticCustomError("rule", "Each `start` must be greater than the one before.")
        return boxes

    def place(self) -> Place:
        return Place(
            title=self.title,
            headings=tuple(self.headings),
            page=self.page,
            box=None if self.box is None else _box(self.box),
            line=self.line,
            boxes=tuple(BoxedText(part.start, _box(part.box)) for part in self.boxes or ()),
        )

    @classmethod
    def of(cls, place: Place) -> Self:
        return cls(
            title=place.title,
            headings=list(place.headings),
            page=place.page,
            box=None if place.box is None else list(place.box),
            line=place.line,
            boxes=[BoxedTextRequest(start=part.start, box=list(part.box)) for part in place.boxes],
        )


def _box(edges: list[float]) -> Box:
    return cast("Box", tuple(edges))


def place_of(request: PlaceRequest | None) -> Place | None:
    return None if request is None else request.place()


class BoxedTextResponse(ResponseModel):
    """The box of a chunk's text from `start`, in Unicode code points, to the start of the next."""

    start: int
    box: list[float]


class PlaceResponse(ResponseModel):
    """The place of a chunk in its source; `page` and `line` count from 1.

    `boxes`, those of the text's sentences or rows, is left out if there are none.
    """

    title: str | None
    headings: list[str]
    page: int | None
    box: list[float] | None
    line: int | None
    boxes: list[BoxedTextResponse] = Field(default=[], exclude_if=lambda boxes: not boxes)


def place_fields(place: Place | None) -> dict[str, object] | None:
    """Return a `PlaceResponse` as plain values."""
    if place is None:
        return None
    fields: dict[str, object] = {
        "title": place.title,
        "headings": place.headings,
        "page": place.page,
        "box": place.box,
        "line": place.line,
    }
    if place.boxes:
        fields["boxes"] = [{"start": part.start, "box": part.box} for part in place.boxes]
    return fields
