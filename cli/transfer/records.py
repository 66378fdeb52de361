"""The contents of a library's file, independent of its format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.domain.errors import Invalid, StorageError
from nalanda import LibraryOptions, Place

FORMAT = 1

Settings: TypeAlias = Mapping[str, Any]
"""Arguments of `libraries.create` except the name."""

OWN_TO_A_SERVER = frozenset({"id", "name", "version", "created_at", "updated_at"})
"""Fields of a library that each server assigns itself."""


@dataclass(frozen=True, slots=True, eq=False)
class ChunkRecord:
    """A chunk; `embedding` is `(d,) float32`, or `None` for the library's model to compute.

    Without an `id` the server assigns one; without an `ordinal` the order in the file counts.
    """

    id: str | None
    ordinal: int | None
    text: str
    metadata: Mapping[str, Any]
    embedding: NDArray[np.float32] | None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    id: str
    title: str | None = None
    source: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


ExportedDocument: TypeAlias = tuple[DocumentRecord, Sequence[ChunkRecord]]
"""A document and its chunks in their order."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The library's data that is known before its documents are read."""

    name: str
    settings: Settings
    documents: int
    chunks: int


@dataclass(frozen=True, slots=True)
class Origin:
    """The file of the records, and its terms for them.

    `unit`: the unit of record numbers, which start at 1. `header`: the place of the settings.
    `document_prefix`: the prefix of a document's fields, such as `title`.
    """

    path: Path
    unit: str
    header: str
    document_prefix: str = ""

    def fault(self, number: int, field: str, detail: str) -> StorageError:
        """Return an error about a field of a record; `field` may end in a pointer."""
        return StorageError(f"{self.path}: {self.unit} {number}: {field}: {detail}")

    def refuse(self, number: int, field: str, invalid: Invalid) -> NoReturn:
        """Report the first fault below this field.

        Raises:
            StorageError: always.
        """
        fault = invalid.faults[0]
        where = (field + fault.pointer).lstrip("/")
        raise self.fault(number, where, fault.detail) from None


def settings_of(header: object, origin: Origin) -> Settings:
    """Return a library's settings from a file's header.

    Raises:
        StorageError: the header is invalid.
    """
    where = f"{origin.path}: {origin.header}"
    if not isinstance(header, Mapping) or not header.keys() >= {"format", "settings"}:
        raise StorageError(
            f"{where} is not a library export: it must have `format` and `settings`."
        )
    format_, settings = header["format"], header["settings"]
    if type(format_) is not int or format_ < 1:
        raise StorageError(f"{where}: format: This must be the number {FORMAT}, not {format_!r}.")
    if format_ > FORMAT:
        raise StorageError(
            f"A newer Nalanda has written {origin.path} (format {format_}): upgrade to import it."
        )
    if not isinstance(settings or {}, Mapping):
        raise StorageError(f"{where}: settings: This must be a JSON object.")
    unknown = sorted(
        (settings or {}).keys() - OWN_TO_A_SERVER - LibraryOptions.__annotations__.keys()
    )
    if unknown:
        raise StorageError(f"{where}: settings: Nalanda has no setting {unknown[0]!r}.")
    return {
        name: value
        for name, value in (settings or {}).items()
        if name not in OWN_TO_A_SERVER and value is not None
    }


def header_of(outline: Outline) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": outline.name,
        "settings": dict(outline.settings),
        "documents": outline.documents,
        "chunks": outline.chunks,
    }
