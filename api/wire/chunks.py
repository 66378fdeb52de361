"""Chunks on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.config import JsonDict

from api.wire.base import (
    VECTOR_SCHEMA,
    Answer,
    AnyJson,
    Body,
    EntityAnswer,
    JsonObject,
    WireEmbedding,
)
from core.domain.document import Chunk, ChunkDraft, Embedding

MAX_CHUNKS = 1000

Include = Literal["embedding"]

_EXAMPLE: JsonDict = {"text": "Attention is all you need.", "metadata": {"year": 2017}}


class ChunkBody(Body):
    """Without an embedding the library's model makes it from the text."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    has_texts = True

    id: str | None = None
    text: str
    embedding: WireEmbedding | None = None
    metadata: JsonObject = Field(default_factory=dict)

    def draft(self) -> ChunkDraft:
        return ChunkDraft(self.text, self.id, self.embedding, self.metadata)


class ChunksBody(Body):
    """All of them are taken, or none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"chunks": [_EXAMPLE, {"id": "own-id", "text": "A vector of its own."}]}]
        }
    )

    has_texts = True
    split = "chunks"
    item = ChunkBody
    max_items = MAX_CHUNKS

    chunks: list[ChunkBody] = Field(min_length=1, max_length=MAX_CHUNKS)

    def drafts(self) -> Sequence[ChunkDraft]:
        return [chunk.draft() for chunk in self.chunks]


class PutChunkBody(ChunkBody):
    """`id`, if it is there, is that of the path."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"document_id": "d1", **_EXAMPLE}]})

    document_id: str


class ChunkPatch(Body):
    """What can be changed of a chunk. New text without an embedding is embedded again."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    has_texts = True

    text: str
    embedding: WireEmbedding | None = None
    metadata: JsonObject = Field(default_factory=dict)

    def draft(self) -> ChunkDraft:
        return ChunkDraft(self.text, None, self.embedding, self.metadata)

    @classmethod
    def of(cls, chunk: Chunk) -> Self:
        """What would make this chunk again; its embedding comes from the text, or stays."""
        return cls(text=chunk.text, metadata=dict(chunk.metadata))


class DeleteChunksBody(Body):
    """Either those of these ids, or those that match."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"filter": {"field": "year", "op": "lt", "value": 2000}}]}
    )

    ids: list[str] | None = Field(default=None, fail_fast=True)
    filter: AnyJson = None


class ChunkQueryBody(Body):
    """A page of a library's chunks: those that match, in order of id or of `order_by`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "filter": {"field": "chunk.id", "op": "in", "value": ["a", "b"]},
                    "order_by": "-year",
                    "limit": 50,
                }
            ]
        }
    )

    filter: AnyJson = None
    order_by: str | None = None
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None
    include: list[Include] = Field(default_factory=list, max_length=16)

    def canonical(self) -> list[tuple[str, str]]:
        """Return what its cursors belong to, the same for each way of writing the same filter."""
        parameters = []
        if self.filter is not None:
            filter_ = orjson.dumps(self.filter, option=orjson.OPT_SORT_KEYS)
            parameters.append(("filter", filter_.decode()))
        if self.order_by is not None:
            parameters.append(("order_by", self.order_by))
        return parameters


class ChunkAnswer(EntityAnswer):
    """`ordinal` is its place in its document; `embedding` is there if `include` names it."""

    library_id: str
    document_id: str
    ordinal: int
    text: str
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    embedding: Annotated[
        Embedding | None, PlainValidator(lambda row: row), WithJsonSchema(VECTOR_SCHEMA)
    ] = Field(default=None, exclude_if=lambda embedding: embedding is None)


class ChunksAnswer(Answer):
    items: list[ChunkAnswer]


class DeletedAnswer(Answer):
    deleted: int
