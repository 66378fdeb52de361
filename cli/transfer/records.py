"""What a file of a library holds, whatever its format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.domain.errors import StorageError

FORMAT = 1

Settings: TypeAlias = Mapping[str, Any]
"""What `libraries.create` takes besides the name."""


@dataclass(frozen=True, slots=True, eq=False)
class ChunkRecord:
    """`embedding`: `(d,) float32`."""

    id: str
    ordinal: int
    text: str
    metadata: Mapping[str, Any]
    embedding: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """`chunks` are in their order in the document."""

    id: str
    title: str | None = None
    source: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    chunks: tuple[ChunkRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Outline:
    """What is known of a library before its documents are read."""

    name: str
    settings: Settings
    documents: int
    chunks: int


def settings_of(header: Mapping[str, Any], path: Path) -> tuple[str, Settings]:
    """The name and the settings of a library out of a file's header. Raises: StorageError."""
    try:
        format_, name, settings = header["format"], header["name"], header["settings"]
    except (KeyError, TypeError):
        raise StorageError(f"{path} is no export of a library.") from None
    if format_ > FORMAT:
        raise StorageError(f"A newer Nalanda has written {path} (format {format_}).")
    return name, settings


def header_of(outline: Outline) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": outline.name,
        "settings": dict(outline.settings),
        "documents": outline.documents,
        "chunks": outline.chunks,
    }
