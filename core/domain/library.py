"""A library: one embedding space, and the rules that its documents and chunks obey."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from core.domain.schema import MetadataSchema

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
Metadata: TypeAlias = Mapping[str, Json]


class Metric(StrEnum):
    """How near two vectors are; as a score, higher is nearer for each."""

    COSINE = "cosine"
    DOT = "dot"
    L2 = "l2"


class IndexKind(StrEnum):
    AUTO = "auto"
    FLAT = "flat"
    IVF = "ivf"
    HNSW = "hnsw"


class Language(StrEnum):
    """Of a library's texts, for search by words: `run` finds `running` where it is known how the
    language bends its words, and its commonest words are passed over; `none` takes words as
    they are. Texts in other languages are found all the same, by their words as they are bent.
    """

    NONE = "none"
    ARABIC = "arabic"
    DANISH = "danish"
    DUTCH = "dutch"
    ENGLISH = "english"
    FINNISH = "finnish"
    FRENCH = "french"
    GERMAN = "german"
    GREEK = "greek"
    HUNGARIAN = "hungarian"
    ITALIAN = "italian"
    NORWEGIAN = "norwegian"
    PORTUGUESE = "portuguese"
    ROMANIAN = "romanian"
    RUSSIAN = "russian"
    SPANISH = "spanish"
    SWEDISH = "swedish"
    TAMIL = "tamil"
    TURKISH = "turkish"


@dataclass(frozen=True, slots=True)
class IndexSpec:
    kind: IndexKind = IndexKind.AUTO
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LibraryDraft:
    """What a client says of a library; `None` for dimension, metric and model: as they are, or not
    yet known (the metric: cosine)."""

    name: str
    description: str | None = None
    metadata: Metadata = field(default_factory=dict)
    metadata_schema: MetadataSchema | None = None
    dimension: int | None = None
    metric: Metric | None = None
    index: IndexSpec = IndexSpec()
    embedding_model: str | None = None
    language: Language = Language.ENGLISH


@dataclass(frozen=True, slots=True)
class Library:
    """`version` is the position of the last write to the library itself.

    `dimension` and `embedding_model` are settled by the first vector, if not before: the
    server's default model if a text needs embedding, none if the client brings the vector.
    """

    id: str
    name: str
    description: str | None
    metadata: Metadata
    metadata_schema: MetadataSchema | None
    dimension: int | None
    metric: Metric
    index: IndexSpec
    embedding_model: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    language: Language = Language.ENGLISH
