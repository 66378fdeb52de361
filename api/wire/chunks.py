"""Wire models of chunks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.config import JsonDict

from api.wire.base import (
    MAX_LIMIT,
    VECTOR_SCHEMA,
    AnyJson,
    EntityResponse,
    JsonObject,
    RequestModel,
    ResponseModel,
    WireEmbedding,
)
from api.wire.places import PlaceRequest, PlaceResponse, place_of
from core.domain.document import Chunk, ChunkDraft, Embedding

MAX_CHUNKS = 1000

Include = Literal["embedding"]

_EXAMPLE: JsonDict = {"text": "Attention is all you need.", "metadata": {"year": 2017}}


class ChunkRequest(RequestModel):
    """A chunk to create. Without an embedding, the library's model embeds the text."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    has_texts = True

    id: str | None = None
    text: str
    embedding: WireEmbedding | None = None
    metadata: JsonObject = Field(default_factory=dict)
    place: PlaceRequest | None = None

    def draft(self) -> ChunkDraft:
        return ChunkDraft(self.text, self.id, self.embedding, self.metadata, place_of(self.place))


class AddChunksRequest(RequestModel):
    """Chunks to add, all or none of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"chunks": [_EXAMPLE, {"id": "own-id", "text": "A vector of its own."}]}]
        }
    )

    has_texts = True
    split = "chunks"
    item = ChunkRequest
    max_items = MAX_CHUNKS

    chunks: list[ChunkRequest] = Field(min_length=1, max_length=MAX_CHUNKS)

    def drafts(self) -> Sequence[ChunkDraft]:
        return [chunk.draft() for chunk in self.chunks]


class PutChunkRequest(ChunkRequest):
    """A chunk to create or replace; `id`, if present, must be the id in the path."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"document_id": "d1", **_EXAMPLE}]})

    document_id: str


class ChunkPatch(RequestModel):
    """The fields of a chunk that a patch can change.

    Without an embedding, a chunk with a new text, title or heading is embedded again.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    has_texts = True

    text: str
    embedding: WireEmbedding | None = None
    metadata: JsonObject = Field(default_factory=dict)
    place: PlaceRequest | None = None

    def draft(self) -> ChunkDraft:
        return ChunkDraft(self.text, None, self.embedding, self.metadata, place_of(self.place))

    @classmethod
    def of(cls, chunk: Chunk) -> Self:
        """Return the current values of the chunk, without its embedding."""
        place = None if chunk.place is None else PlaceRequest.of(chunk.place)
        return cls(text=chunk.text, metadata=dict(chunk.metadata), place=place)


class DeleteChunksRequest(RequestModel):
    """Chunks to delete: those with these ids, or those that match the filter."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"filter": {"field": "year", "op": "lt", "value": 2000}}]}
    )

    ids: list[str] | None = Field(default=None, fail_fast=True)
    filter: AnyJson = None


class ListChunksRequest(RequestModel):
    """A listing of a library's chunks that match the filter, in order of id or of `order_by`."""

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
    limit: int = Field(default=100, ge=1, le=MAX_LIMIT)
    cursor: str | None = None
    include: list[Include] = Field(default_factory=list, max_length=16)

    def canonical(self) -> list[tuple[str, str]]:
        """Return the cursor's scope, equal for all spellings of the same filter."""
        parameters = []
        if self.filter is not None:
            filter_ = orjson.dumps(self.filter, option=orjson.OPT_SORT_KEYS)
            parameters.append(("filter", filter_.decode()))
        if self.order_by is not None:
            parameters.append(("order_by", self.order_by))
        return parameters


class ChunkResponse(EntityResponse):
    """A chunk; `ordinal` orders the chunks of its document, and `embedding` is present if `include`
    names it.
    """

    library_id: str
    document_id: str
    ordinal: int
    text: str
    metadata: dict[str, Any]
    place: PlaceResponse | None
    created_at: datetime
    updated_at: datetime
    embedding: Annotated[
        Embedding | None, PlainValidator(lambda row: row), WithJsonSchema(VECTOR_SCHEMA)
    ] = Field(default=None, exclude_if=lambda embedding: embedding is None)

    @property
    def path(self) -> str:
        return f"/libraries/{self.library_id}/chunks/{self.id}"


class ChunksResponse(ResponseModel):
    items: list[ChunkResponse]


class DeleteChunksResponse(ResponseModel):
    deleted: int
