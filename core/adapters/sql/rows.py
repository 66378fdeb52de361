"""The columns of libraries, documents and chunks.

JSON is stored as text, times as RFC 3339, and vectors as float32.
"""

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np

from core.adapters.sql.columns import Codec, Column, Row, Table
from core.domain.document import Chunk, Document, EmbeddedChunk, Embedding
from core.domain.library import IndexKind, IndexSpec, Language, Library, Metric
from core.domain.place import Place
from core.domain.schema import FieldRule, FieldType, MetadataSchema
from core.domain.values import to_json


def to_time(value: datetime) -> str:
    """Return RFC 3339 text in UTC with microseconds, whose order is that of the times."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def to_datetime(value: str | datetime) -> datetime:
    """Return the time of SQLite's text or of PostgreSQL's timestamp in UTC."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value.replace(tzinfo=UTC)


def to_embedding(blob: bytes) -> Embedding:
    """Return the vector, a read-only view of the row's memory."""
    return np.frombuffer(blob, dtype="<f4")


def from_embedding(embedding: Embedding) -> bytes:
    return np.ascontiguousarray(embedding, dtype="<f4").tobytes()


def _from_index(index: IndexSpec) -> str:
    return json.dumps({"kind": index.kind, "parameters": dict(index.parameters)})


def _to_index(text: str) -> IndexSpec:
    spec = json.loads(text)
    return IndexSpec(IndexKind(spec["kind"]), spec["parameters"])


def _from_schema(schema: MetadataSchema | None) -> str | None:
    if schema is None:
        return None
    fields = {
        name: {"type": rule.type, "required": rule.required, "enum": rule.enum}
        for name, rule in schema.fields.items()
    }
    return json.dumps({"fields": fields, "additional": schema.additional}, ensure_ascii=False)


def _to_schema(text: str | None) -> MetadataSchema | None:
    if text is None:
        return None
    schema = json.loads(text)
    return MetadataSchema(
        {name: _to_rule(rule) for name, rule in schema["fields"].items()}, schema["additional"]
    )


def _to_rule(rule: dict[str, Any]) -> FieldRule:
    return FieldRule(
        type=FieldType(rule["type"]),
        required=rule["required"],
        enum=None if rule["enum"] is None else tuple(rule["enum"]),
    )


def _from_place(place: Place | None) -> str | None:
    return None if place is None else place.to_json()


def _to_place(text: str | None) -> Place | None:
    return None if text is None else Place.from_json(text)


_TEXT = Codec("text")
_INTEGER = Codec("bigint")
_JSON = Codec("text", to_json, json.loads)
_TIME = Codec("timestamptz", to_time, to_datetime)

LIBRARIES = Table(
    "libraries",
    ["id"],
    Library,
    [
        Column("id", _TEXT),
        Column("name", _TEXT),
        Column("description", _TEXT),
        Column("metadata", _JSON),
        Column("metadata_schema", Codec("text", _from_schema, _to_schema)),
        Column("dimension", _INTEGER),
        Column("metric", Codec("text", decode=Metric)),
        Column("index", Codec("text", _from_index, _to_index)),
        Column("embedding_model", _TEXT),
        Column("version", _INTEGER),
        Column("created_at", _TIME),
        Column("updated_at", _TIME),
        Column("language", Codec("text", decode=Language)),
    ],
)

DOCUMENTS = Table(
    "documents",
    ["library_id", "id"],
    Document,
    [
        Column("id", _TEXT),
        Column("library_id", _TEXT),
        Column("title", _TEXT),
        Column("source", _TEXT),
        Column("metadata", _JSON),
        Column("version", _INTEGER),
        Column("created_at", _TIME),
        Column("updated_at", _TIME),
    ],
)

CHUNK_VERSION = "coalesce(content_version, version)"
"""The version of a chunk; the column `version` is also the position of a change of the model.

Backups and the history need that position, and clients the version, which stays.
"""

CHUNKS = Table(
    "chunks",
    ["library_id", "id"],
    Chunk,
    [
        Column("id", _TEXT),
        Column("library_id", _TEXT),
        Column("document_id", _TEXT),
        Column("ordinal", _INTEGER),
        Column("text", _TEXT),
        Column("metadata", _JSON),
        Column("version", _INTEGER, read=CHUNK_VERSION),
        Column("created_at", _TIME),
        Column("updated_at", _TIME),
        Column("place", Codec("text", _from_place, _to_place)),
    ],
    reset=["content_version"],
)

EMBEDDING = Column("embedding", Codec("bytea", from_embedding, to_embedding))
"""A chunk's vector, which most statements leave out."""


def from_embedded(row: EmbeddedChunk) -> Row:
    """Return a chunk's columns and its embedding, in this order."""
    return (*CHUNKS.to_row(row.chunk), from_embedding(row.embedding))


def to_embedded(row: Row) -> EmbeddedChunk:
    """Convert a row of a chunk's columns and its embedding, in this order."""
    return EmbeddedChunk(CHUNKS.from_row(row[:-1]), to_embedding(row[-1]))
