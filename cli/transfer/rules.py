"""Rules of a library for its chunks, checked before the first one is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pydantic

from api.wire.libraries import SchemaRequest
from cli.transfer.records import ChunkRecord
from core.domain import vectors
from core.domain.errors import Invalid
from core.domain.library import Metric
from core.domain.schema import MetadataSchema


@dataclass(slots=True)
class Rules:
    """The rules of a library; without a `dimension`, the first embedding sets it."""

    dimension: int | None = None
    metric: Metric = Metric.COSINE
    has_model: bool = False
    schema: MetadataSchema | None = None
    _embeds_first: bool | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Rules":
        """Return the rules of settings; the server validates the settings themselves."""
        dimension, metric = settings.get("dimension"), settings.get("metric")
        return cls(
            dimension if type(dimension) is int else None,
            Metric(metric) if metric in list(Metric) else Metric.COSINE,
            settings.get("embedding_model") is not None,
            _schema(settings.get("metadata_schema")),
        )

    def check(self, chunk: ChunkRecord) -> None:
        """Check a chunk.

        Raises:
            Invalid: the chunk breaks a rule.
        """
        if self.schema is not None:
            self.schema.check(chunk.metadata, "/metadata")
        embedding = chunk.embedding
        if self._embeds_first is None:
            self._embeds_first = embedding is not None
        if embedding is None:
            self._check_without(chunk.text)
            return
        vectors.check(embedding, dimension=self.dimension, metric=self.metric, pointer="/embedding")
        if self.dimension is None:
            self.dimension = len(embedding)

    def _check_without(self, text: str) -> None:
        if self._embeds_first and not self.has_model:
            raise Invalid.at(
                "/embedding",
                "This field is missing, and the library has no embedding model: give each "
                "chunk an embedding, or none.",
            )
        if not text.strip():
            raise Invalid.at("/text", "This text must not be blank, as the server embeds it.")


def _schema(settings: object) -> MetadataSchema | None:
    try:
        return SchemaRequest.model_validate(settings, strict=False).schema_of_metadata()
    except pydantic.ValidationError:
        return None
