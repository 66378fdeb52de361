"""Models of libraries, documents and chunks."""

from datetime import datetime
from typing import Any, Literal

from nalanda._models.base import Embedding, Model

Metric = Literal["cosine", "dot", "l2"]
FieldType = Literal["string", "integer", "number", "boolean", "datetime", "string_list"]
Box = tuple[float, float, float, float]


class FieldRule(Model):
    type: FieldType
    required: bool = False
    enum: list[Any] | None = None


class MetadataSchema(Model):
    """A metadata schema; `additional` allows fields that it does not name."""

    fields: dict[str, FieldRule] = {}
    additional: bool = True


class Entity(Model):
    """An entity; `version` grows with each write. Pass it as `if_match` to overwrite only this
    version.
    """

    id: str
    version: int
    created_at: datetime
    updated_at: datetime


class Library(Entity):
    """A library; the first vector sets `dimension` and `embedding_model` if they are `None`."""

    name: str
    description: str | None = None
    metadata: dict[str, Any] = {}
    metadata_schema: MetadataSchema | None = None
    dimension: int | None = None
    metric: Metric = "cosine"
    index: dict[str, Any] = {}
    embedding_model: str | None = None
    language: str = "english"


class Document(Entity):
    library_id: str
    title: str | None = None
    source: str | None = None
    metadata: dict[str, Any] = {}


class DeletedDocuments(Model):
    """The number of deleted documents, and the ids of those that have another version."""

    deleted: int
    changed: list[str] = []


class BoxedText(Model):
    """The box of a chunk's text from `start`, in Unicode code points, to the start of the next."""

    start: int
    box: Box


class Place(Model):
    """The place of a chunk in its source; `page` and `line` count from 1.

    `headings`: outermost first. `box`: the left, top, right and bottom edge on the page, in PDF
    points from its top left corner. `boxes`: those of the text's sentences or rows, ascending by
    their starts; `None` if `box` is all that is known.
    """

    title: str | None = None
    headings: list[str] = []
    page: int | None = None
    box: Box | None = None
    line: int | None = None
    boxes: list[BoxedText] | None = None


class Chunk(Entity):
    """A chunk; `ordinal` orders the chunks of its document, `embedding` is present if `include`
    names it.
    """

    document_id: str
    library_id: str
    ordinal: int
    text: str
    metadata: dict[str, Any] = {}
    place: Place | None = None
    embedding: Embedding | None = None
