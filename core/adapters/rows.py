"""Converts rows to and from the domain: JSON as text, times as RFC 3339, vectors as float32."""

import json
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np

from core.domain.document import Chunk, Document, EmbeddedChunk, Embedding
from core.domain.library import IndexKind, IndexSpec, Language, Library, Metric
from core.domain.schema import FieldRule, FieldType, MetadataSchema
from core.domain.values import to_json

Row: TypeAlias = tuple[Any, ...]


def to_time(value: datetime) -> str:
    """Return RFC 3339 text in UTC with microseconds, whose order is that of the times."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def to_datetime(value: str | datetime) -> datetime:
    """Return the time of SQLite's text or of PostgreSQL's timestamp in UTC."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value.replace(tzinfo=UTC)


def from_library(library: Library) -> Row:
    index = {"kind": library.index.kind, "parameters": dict(library.index.parameters)}
    schema = library.metadata_schema
    return (
        library.id,
        library.name,
        library.description,
        to_json(library.metadata),
        None if schema is None else _from_schema(schema),
        library.dimension,
        library.metric,
        json.dumps(index),
        library.embedding_model,
        library.version,
        to_time(library.created_at),
        to_time(library.updated_at),
        library.language,
    )


def to_library(row: Row) -> Library:
    id_, name, description, metadata, schema, dimension, metric, index, model, *rest = row
    version, created_at, updated_at, language = rest
    spec = json.loads(index)
    return Library(
        id=id_,
        name=name,
        description=description,
        metadata=json.loads(metadata),
        metadata_schema=None if schema is None else _to_schema(schema),
        dimension=dimension,
        metric=Metric(metric),
        index=IndexSpec(IndexKind(spec["kind"]), spec["parameters"]),
        embedding_model=model,
        version=version,
        created_at=to_datetime(created_at),
        updated_at=to_datetime(updated_at),
        language=Language(language),
    )


def from_document(document: Document) -> Row:
    return (
        document.id,
        document.library_id,
        document.title,
        document.source,
        to_json(document.metadata),
        document.version,
        to_time(document.created_at),
        to_time(document.updated_at),
    )


def to_document(row: Row) -> Document:
    id_, library_id, title, source, metadata, version, created_at, updated_at = row
    return Document(
        id=id_,
        library_id=library_id,
        title=title,
        source=source,
        metadata=json.loads(metadata),
        version=version,
        created_at=to_datetime(created_at),
        updated_at=to_datetime(updated_at),
    )


def from_chunk(row: EmbeddedChunk) -> Row:
    chunk = row.chunk
    return (
        chunk.id,
        chunk.library_id,
        chunk.document_id,
        chunk.ordinal,
        chunk.text,
        to_json(chunk.metadata),
        chunk.version,
        to_time(chunk.created_at),
        to_time(chunk.updated_at),
        np.ascontiguousarray(row.embedding, dtype="<f4").tobytes(),
    )


def to_chunk(row: Row) -> Chunk:
    id_, library_id, document_id, ordinal, text, metadata, version, created_at, updated_at = row
    return Chunk(
        id=id_,
        library_id=library_id,
        document_id=document_id,
        ordinal=ordinal,
        text=text,
        metadata=json.loads(metadata),
        version=version,
        created_at=to_datetime(created_at),
        updated_at=to_datetime(updated_at),
    )


def to_embedded(row: Row) -> EmbeddedChunk:
    """Convert a row of a chunk's columns and its embedding, in this order."""
    return EmbeddedChunk(to_chunk(row[:-1]), to_embedding(row[-1]))


def to_embedding(blob: bytes) -> Embedding:
    """Return the vector, a read-only view of the row's memory."""
    return np.frombuffer(blob, dtype="<f4")


def _from_schema(schema: MetadataSchema) -> str:
    fields = {
        name: {"type": rule.type, "required": rule.required, "enum": rule.enum}
        for name, rule in schema.fields.items()
    }
    return json.dumps({"fields": fields, "additional": schema.additional}, ensure_ascii=False)


def _to_schema(text: str) -> MetadataSchema:
    schema = json.loads(text)
    fields = {
        name: FieldRule(
            type=FieldType(rule["type"]),
            required=rule["required"],
            enum=None if rule["enum"] is None else tuple(rule["enum"]),
        )
        for name, rule in schema["fields"].items()
    }
    return MetadataSchema(fields, schema["additional"])
