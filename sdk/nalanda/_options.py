"""What callers may say of a thing that they create, replace, search for or ask.

An option that is left out, or `None`, is not sent: the server's default holds.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Required, TypeAlias, TypedDict

from nalanda._models import Metric
from nalanda._vectors import Vector, pack

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
    """`{"kind": …}`, and the kind's parameters beside it."""
    embedding_model: str | None
    language: str | None
    """Of its texts, for lexical search: `english`, …, or `none`."""


class ChunkOptions(TypedDict, total=False):
    """A chunk to be; one without an embedding is embedded by the library's model."""

    id: str
    text: Required[str]
    embedding: Vector | None
    metadata: Json | None


class DocumentOptions(TypedDict, total=False):
    title: str | None
    source: str | None
    metadata: Json | None
    text: str | None
    """Split into chunks by the server; instead of `chunks`."""
    chunks: Iterable[ChunkOptions] | None


class SearchOptions(TypedDict, total=False):
    """Either `embedding` or `text`; both only for the mode `hybrid`."""

    embedding: Vector | None
    text: str | None
    k: int
    mode: SearchMode
    filter: Filter | None
    exact: bool
    parameters: Mapping[str, float] | None
    include: Sequence[Include] | None
    group_by: Literal["document_id"] | None
    weights: Mapping[str, float] | None
    """`{"vector": …, "lexical": …}`, what each half of a hybrid search counts."""


class QueryOptions(TypedDict, total=False):
    k: int
    """How many candidates are retrieved."""
    top_n: int
    """How many of them the reranker keeps."""
    mode: SearchMode
    filter: Filter | None
    answer: bool
    review: bool
    deadline_s: float | None
    conversation_id: str | None


def said(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those that the caller gave, as JSON has them."""
    body = packed({name: value for name, value in options.items() if value is not None})
    if "chunks" in body:
        body["chunks"] = [said(chunk) for chunk in body["chunks"]]
    return body


def packed(patch: Json) -> dict[str, Any]:
    """A merge patch as JSON has it: its embedding, if it sets one, packed."""
    embedding = patch.get("embedding")
    return dict(patch) if embedding is None else {**patch, "embedding": pack(embedding)}
