"""Keyword options of the calls that create, replace, search or ask.

An omitted option, or `None`, is not sent: the server's default applies.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Required, TypeAlias, TypedDict

from nalanda._errors import InvalidType, InvalidValue, KeyPath, type_name
from nalanda._json import dump
from nalanda._models.entities import Metric, Place
from nalanda._packing import pack
from nalanda._requests import Part
from nalanda._vectors import Vector

Json: TypeAlias = Mapping[str, Any]
Filter: TypeAlias = Mapping[str, Any]
"""`{"and": [F…]}`, `{"or": [F…]}`, `{"not": F}` or `{"field": P, "op": O, "value": V}`."""

SearchMode = Literal["vector", "lexical", "hybrid"]
Include = Literal["text", "metadata", "document", "embedding"]


class LibraryOptions(TypedDict, total=False):
    description: str | None
    metadata: Json | None
    metadata_schema: Json | None
    """`{"fields": {NAME: {"type", "required"?, "enum"?}}, "additional"?}`, for chunks' metadata."""
    dimension: int | None
    metric: Metric | None
    index: Json | None
    """`{"kind": …}` with the kind's parameters."""
    embedding_model: str | None
    language: str | None
    """Language of the texts, for lexical search: `english`, …, or `none`."""


class ChunkOptions(TypedDict, total=False):
    """A chunk to create; without an embedding, the library's model embeds its text.

    The title and the headings of a `place` are embedded and lexically indexed with the text.
    """

    id: str
    text: Required[str]
    embedding: Vector | None
    metadata: Json | None
    place: Place | Json | None


class DocumentOptions(TypedDict, total=False):
    title: str | None
    source: str | None
    metadata: Json | None
    text: str | None
    """Text that the server splits into chunks; excludes `chunks`."""
    media_type: str | None
    """The media type of `text`; the chunks of `text/markdown` have its words without the markup."""
    chunks: Iterable[ChunkOptions] | None


class IngestItemOptions(TypedDict, total=False):
    """A file to ingest: a `text`, or its `content` in bytes. `source` identifies the document."""

    source: Required[str]
    title: str | None
    media_type: str | None
    text: str | None
    content: bytes | None
    metadata: Json | None


class SearchOptions(TypedDict, total=False):
    """A search by `embedding` or `text`; both only for the mode `hybrid`.

    `embedding_model`: the model of the embedding, which the library must have.
    """

    embedding: Vector | None
    embedding_model: str | None
    text: str | None
    k: int
    mode: SearchMode
    filter: Filter | None
    exact: bool
    parameters: Mapping[str, float] | None
    include: Sequence[Include] | None
    group_by: Literal["document_id"] | None
    weights: Mapping[str, float] | None
    """`{"vector": …, "lexical": …}`: the weights of the two halves of a hybrid search."""


class BudgetOptions(TypedDict, total=False):
    """Limits to what a question spends on providers, at least one of both."""

    tokens: int
    calls: int


class QueryOptions(TypedDict, total=False):
    k: int
    """Number of candidates to retrieve."""
    top_n: int
    """Number of candidates that the reranker keeps."""
    mode: SearchMode
    filter: Filter | None
    answer: bool
    review: bool
    """Wait for a review of the hits before the answer."""
    review_timeout_s: float
    review_default: Literal["approve", "fail"]
    """The outcome if no review comes in time."""
    deadline_s: float | None
    conversation_id: str | None
    """The conversation of which the question is the next turn."""
    budget: BudgetOptions | None


class AdjustOptions(TypedDict, total=False):
    k: int
    top_n: int
    mode: SearchMode
    filter: Filter | None


def given_options(options: Mapping[str, Any], place: KeyPath = ()) -> dict[str, Any]:
    """Return the given options with packed embeddings.

    Raises:
        InvalidValue, InvalidType: the value at or below `place` is invalid.
    """
    if not isinstance(options, Mapping):
        raise InvalidType(place, f"is of the type {type_name(options)}, not an object.")
    return pack_embeddings(
        {name: value for name, value in options.items() if value is not None}, place
    )


def ingest_items(items: Iterable[IngestItemOptions]) -> list[dict[str, Any]]:
    """Return the items as JSON, with contents in base64.

    Raises:
        InvalidType: a content is not bytes.
    """
    return [_ingest_item(item, ("items", index)) for index, item in enumerate(items)]


def _ingest_item(item: IngestItemOptions, place: KeyPath) -> dict[str, Any]:
    packed = {name: value for name, value in item.items() if value is not None}
    content = packed.pop("content", None)
    if content is not None:
        if not isinstance(content, bytes | bytearray | memoryview):
            raise InvalidType(
                (*place, "content"), f"is of the type {type_name(content)}, not bytes."
            )
        packed["content_base64"] = b64encode(content).decode("ascii")
    return packed


def upload_parts(files: Mapping[str, bytes], **options: Any) -> list[Part]:
    """Return the parts of an upload: a file for each source, and the given options.

    Raises:
        InvalidValue, InvalidType: a content is not bytes, or an option has no JSON form.
    """
    parts: list[Part] = []
    for source, content in files.items():
        if not isinstance(content, bytes):
            raise InvalidType(("files", source), f"is of the type {type_name(content)}, not bytes.")
        if '"' in source:
            raise InvalidValue(("files", source), "has a quotation mark, which no form carries.")
        parts.append(("file", (source, content, "application/octet-stream")))
    if present := {name: value for name, value in options.items() if value is not None}:
        parts.append(("options", (None, dump(present).encode(), "application/json")))
    return parts


def pack_embeddings(body: Json, place: KeyPath = ()) -> dict[str, Any]:
    """Return a body, such as a merge patch, with packed embeddings and plain places.

    Those of its chunks are packed as well.

    Raises:
        InvalidValue, InvalidType: an embedding is not a vector, or a chunk not an object.
    """
    packed_body = dict(body)
    if body.get("embedding") is not None:
        packed_body["embedding"] = pack(body["embedding"], (*place, "embedding"))
    if isinstance(body.get("place"), Place):
        packed_body["place"] = body["place"].model_dump(mode="json", exclude_none=True)
    if body.get("chunks") is not None:
        packed_body["chunks"] = pack_items(body["chunks"], (*place, "chunks"))
    return packed_body


def pack_items(items: Iterable[Mapping[str, Any]], place: KeyPath) -> list[dict[str, Any]]:
    """Return chunks or searches, each converted as by `given_options`.

    Raises:
        InvalidValue, InvalidType: an item is invalid, or the value is not a list.
    """
    if not isinstance(items, Iterable):
        raise InvalidType(place, f"is of the type {type_name(items)}, not a list.")
    return [given_options(item, (*place, index)) for index, item in enumerate(items)]
