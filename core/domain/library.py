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
    """The measure of how near two vectors are; a higher score is nearer under each."""

    COSINE = "cosine"
    DOT = "dot"
    L2 = "l2"

    @property
    def ignores_length(self) -> bool:
        """True if vectors are compared by their direction alone, which a zero vector lacks."""
        return self is Metric.COSINE


class IndexKind(StrEnum):
    AUTO = "auto"
    FLAT = "flat"
    IVF = "ivf"
    HNSW = "hnsw"


class Language(StrEnum):
    """The language of a library's texts, for lexical search: sets its stemmer and stop words.

    `none` turns stemming and stop words off. `auto` is as `none` until the texts suffice to detect
    their language, which then takes its place. Texts in other languages are found as well, by words
    of the same stem.
    """

    AUTO = "auto"
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
    """A library as a client sends it.

    `None` for dimension, metric or model keeps an existing library's. In a new library it
    leaves dimension and model open, and the metric is cosine.
    """

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
    """A library on record; `version` is the position of the last write to the library itself.

    The first vector settles a `dimension` and `embedding_model` that are still open. The model
    is the server's default where the server embeds the text, and none where the client sends
    the vector. The first texts that suffice settle a `language` that is `auto`.
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
