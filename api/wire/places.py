"""Wire models of a chunk's place in its source."""

from typing import Annotated, Self, TypeAlias, cast

from pydantic import ConfigDict, Field

from api.wire.base import RequestModel, ResponseModel
from core.domain.place import (
    MAX_HEADING_LENGTH,
    MAX_HEADINGS,
    MAX_TITLE_LENGTH,
    Box,
    Place,
)

_Count: TypeAlias = Annotated[int, Field(ge=1, le=2**31 - 1)]
_Heading: TypeAlias = Annotated[str, Field(max_length=MAX_HEADING_LENGTH)]
_Coordinate: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
_BOX = "left, top, right and bottom edge in PDF points from the shown page's top left corner"


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
    box: list[_Coordinate] | None = Field(
        default=None, min_length=4, max_length=4, description=_BOX
    )
    line: _Count | None = Field(default=None, description="the line of the source it begins on")

    def place(self) -> Place:
        box = None if self.box is None else cast("Box", tuple(self.box))
        return Place(self.title, tuple(self.headings), self.page, box, self.line)

    @classmethod
    def of(cls, place: Place) -> Self:
        return cls(
            title=place.title,
            headings=list(place.headings),
            page=place.page,
            box=None if place.box is None else list(place.box),
            line=place.line,
        )


def place_of(request: PlaceRequest | None) -> Place | None:
    return None if request is None else request.place()


class PlaceResponse(ResponseModel):
    """The place of a chunk in its source; `page` and `line` count from 1."""

    title: str | None
    headings: list[str]
    page: int | None
    box: list[float] | None
    line: int | None


def place_fields(place: Place | None) -> dict[str, object] | None:
    """Return a `PlaceResponse` as plain values."""
    if place is None:
        return None
    return {
        "title": place.title,
        "headings": place.headings,
        "page": place.page,
        "box": place.box,
        "line": place.line,
    }
