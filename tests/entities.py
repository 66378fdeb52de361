"""Entities of kinds that only tests have."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from core.domain.library import Metadata
from core.domain.place import Place


@dataclass(frozen=True, slots=True)
class Note:
    kind: ClassVar[str] = "sticky_note"

    id: str
    library_id: str
    text: str = ""
    version: int = 1
    places: tuple[Place, ...] = ()
    metadata: Metadata | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """An entity of another kind, which may have the id of a note."""

    kind: ClassVar[str] = "pin"

    id: str
    library_id: str


@dataclass(frozen=True, slots=True)
class LongerNote:
    """A note of a later release."""

    kind: ClassVar[str] = "sticky_note"

    id: str
    library_id: str
    text: str
    version: int
    places: tuple[Place, ...]
    metadata: Metadata | None
    at: datetime | None
    colour: str = "yellow"
