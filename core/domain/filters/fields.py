"""Fields of filters, with paths such as `year`, `document.title`, `chunk.created_at`."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import TypeAlias

from core.domain.document import Chunk, Document
from core.domain.errors import Invalid
from core.domain.library import Metadata
from core.domain.schema import MAX_DOTS, MAX_NAME_LENGTH, FieldType, MetadataSchema
from core.domain.values import MISSING, value_of

Reader: TypeAlias = Callable[[Chunk, Document], object]
"""Returns the field's value: JSON, `MISSING`, or a `datetime` for the built-in times."""


class Scope(Enum):
    """The place of a field's value; the members' values are prefixes of paths."""

    CHUNK_METADATA = "chunk.metadata."
    DOCUMENT_METADATA = "document.metadata."
    CHUNK = "chunk."
    DOCUMENT = "document."


MAX_PATH_LENGTH = len(Scope.DOCUMENT_METADATA.value) + MAX_NAME_LENGTH

_BUILT_IN = {
    Scope.CHUNK: {
        "id": FieldType.STRING,
        "document_id": FieldType.STRING,
        "text": FieldType.STRING,
        "ordinal": FieldType.INTEGER,
        "created_at": FieldType.DATETIME,
        "updated_at": FieldType.DATETIME,
    },
    Scope.DOCUMENT: {
        "id": FieldType.STRING,
        "title": FieldType.STRING,
        "source": FieldType.STRING,
        "created_at": FieldType.DATETIME,
        "updated_at": FieldType.DATETIME,
    },
}


@dataclass(frozen=True, slots=True)
class Field:
    """The field `key` of a scope; its `type` is `None` where any value is allowed."""

    scope: Scope
    key: str
    type: FieldType | None = None

    @property
    def path(self) -> str:
        """Return the shortest path of the field."""
        in_metadata = self.scope is Scope.CHUNK_METADATA
        if in_metadata and not self.key.startswith(("chunk.", "document.")):
            return self.key
        return f"{self.scope.value}{self.key}"

    def reader(self) -> Reader:
        match self.scope:
            case Scope.CHUNK_METADATA:
                return _chunk_metadata_reader(self.key)
            case Scope.DOCUMENT_METADATA:
                key = self.key
                return lambda _, document: value_of(document.metadata, key)
            case Scope.CHUNK:
                of_chunk = attrgetter(self.key)
                return lambda chunk, _: of_chunk(chunk)
            case Scope.DOCUMENT:
                return _document_reader(self.key)


def _chunk_metadata_reader(key: str) -> Reader:
    read = metadata_reader(key)
    return lambda chunk, _: read(chunk.metadata)


def metadata_reader(key: str) -> Callable[[Metadata], object]:
    """Return the reader of a metadata field, for callers that have the metadata at hand."""
    if "." in key:
        return lambda metadata: value_of(metadata, key)
    return lambda metadata: metadata.get(key, MISSING)


def _document_reader(key: str) -> Reader:
    of_document = attrgetter(key)

    def read(_: Chunk, document: Document) -> object:
        value = of_document(document)
        return MISSING if value is None else value

    return read


def parse_field(path: object, schema: MetadataSchema | None, pointer: str) -> Field:
    """Return the field that a path names.

    A path is a key of the chunk's metadata, unless the path begins with `document.` or `chunk.`.
    `chunk.metadata.KEY` names any key.

    Raises:
        Invalid: the path is malformed, names an unknown built-in field, or a key that the schema
            lacks and does not allow.
    """
    if not isinstance(path, str) or not path:
        raise Invalid.at(pointer, "A field must be a non-empty string.")
    if len(path) > MAX_PATH_LENGTH or path.count(".") > MAX_DOTS:
        raise Invalid.at(
            pointer, f"A field has at most {MAX_PATH_LENGTH} characters and {MAX_DOTS} dots."
        )
    for scope in Scope:
        if path.startswith(scope.value):
            return _prefixed_field(scope, path.removeprefix(scope.value), schema, pointer)
    return _metadata_field(path, schema, pointer)


def _prefixed_field(scope: Scope, key: str, schema: MetadataSchema | None, pointer: str) -> Field:
    if scope in _BUILT_IN:
        types = _BUILT_IN[scope]
        if key not in types:
            known = ", ".join(f"{scope.value}{name}" for name in (*types, "metadata.KEY"))
            raise Invalid.at(pointer, f"There is no such field. The fields are {known}.")
        return Field(scope, key, types[key])
    if not key:
        raise Invalid.at(pointer, f"A key of the metadata must follow {scope.value!r}.")
    if scope is Scope.CHUNK_METADATA:
        return _metadata_field(key, schema, pointer)
    return Field(scope, key)


def _metadata_field(key: str, schema: MetadataSchema | None, pointer: str) -> Field:
    rule = schema.fields.get(key) if schema else None
    if rule is None and schema is not None and not schema.additional:
        raise Invalid.at(pointer, f"The schema has no field {key!r}, and allows no others.")
    return Field(Scope.CHUNK_METADATA, key, rule.type if rule else None)
