"""Entities that the record keeps in one table, so that a new kind needs no table of its own."""

from typing import ClassVar, Protocol


class Entity(Protocol):
    """A frozen dataclass of a library; its attributes are what JSON can hold.

    `kind` tells the classes apart on record and never changes. `id` is unique among those of the
    kind in the library. A new attribute needs a default, which older rows get.
    """

    kind: ClassVar[str]

    @property
    def id(self) -> str: ...
    @property
    def library_id(self) -> str: ...
