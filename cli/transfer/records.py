"""What a file of a library holds, whatever its format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.domain.errors import Invalid, StorageError
from nalanda import LibraryOptions

FORMAT = 1

Settings: TypeAlias = Mapping[str, Any]
"""What `libraries.create` takes besides the name."""

OWN_TO_A_SERVER = frozenset({"id", "name", "version", "created_at", "updated_at"})
"""Fields of a library that no other server takes over."""


@dataclass(frozen=True, slots=True, eq=False)
class ChunkRecord:
    """`embedding`: `(d,) float32`, or `None`: the library's model makes it.

    Without an `id` the server makes one; without an `ordinal` its place in the file counts.
    """

    id: str | None
    ordinal: int | None
    text: str
    metadata: Mapping[str, Any]
    embedding: NDArray[np.float32] | None


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
    """What is known of a library before its documents are read."""

    name: str
    settings: Settings
    documents: int
    chunks: int


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that records come from, and what the file calls their parts.

    `unit`: what a record's number counts, from 1. `header`: where the settings are.
    `document_prefix`: what stands before `title` in the name of a document's title.
    """

    path: Path
    unit: str
    header: str
    document_prefix: str = ""

    def fault(self, number: int, field: str, detail: str) -> StorageError:
        """Return an error about a field of a record; `field` may have a pointer at its end."""
        return StorageError(f"{self.path}: {self.unit} {number}: {field}: {detail}")

    def refuse(self, number: int, field: str, invalid: Invalid) -> NoReturn:
        """Raises: StorageError: the first fault, below this field."""
        fault = invalid.faults[0]
        where = (field + fault.pointer).lstrip("/")
        raise self.fault(number, where, fault.detail) from None


def settings_of(header: object, origin: Origin) -> Settings:
    """Return the settings of a library out of a file's header. Raises: StorageError."""
    where = f"{origin.path}: {origin.header}"
    if not isinstance(header, Mapping) or not header.keys() >= {"format", "settings"}:
        raise StorageError(
            f"{where} is no export of a library: it is to have `format` and `settings`."
        )
    format_, settings = header["format"], header["settings"]
    if type(format_) is not int or format_ < 1:
        raise StorageError(f"{where}: format: This is to be the number {FORMAT}, not {format_!r}.")
    if format_ > FORMAT:
        raise StorageError(f"A newer Nalanda has written {origin.path} (format {format_}).")
    if not isinstance(settings or {}, Mapping):
        raise StorageError(f"{where}: settings: This is to be a JSON object.")
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
