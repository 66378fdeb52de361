"""Wire models of documents."""

from datetime import datetime
from typing import Any, Self

from pydantic import ConfigDict, Field

from api.wire.base import EntityResponse, JsonObject, RequestModel, ResponseModel
from api.wire.chunks import ChunkRequest
from core.domain.document import Document, DocumentDraft
from core.domain.place import MAX_TITLE_LENGTH

MAX_DOCUMENTS = 1000
"""Maximum number of documents that one request deletes."""


class DocumentRequest(RequestModel):
    """A document with its `chunks`, or with a `text` that the server splits, or with neither."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Attention Is All You Need",
                    "source": "https://arxiv.org/abs/1706.03762",
                    "metadata": {"venue": "NeurIPS"},
                    "chunks": [{"text": "The dominant models are…", "metadata": {"year": 2017}}],
                }
            ]
        }
    )

    has_texts = True
    split = "chunks"
    item = ChunkRequest

    title: str | None = Field(default=None, max_length=MAX_TITLE_LENGTH)
    source: str | None = Field(default=None, max_length=MAX_TITLE_LENGTH)
    metadata: JsonObject = Field(default_factory=dict)
    text: str | None = Field(
        default=None, description="Text that the server splits into chunks; excludes `chunks`."
    )
    media_type: str | None = Field(
        default=None,
        max_length=255,
        description="What `text` is, for chunks of its words without markup; by default the chunks "
        "keep its characters.",
        examples=["text/markdown", "text/html"],
    )
    chunks: list[ChunkRequest] | None = None

    def draft(self) -> DocumentDraft:
        return DocumentDraft(
            title=self.title,
            source=self.source,
            metadata=self.metadata,
            text=self.text,
            media_type=self.media_type,
            chunks=None if self.chunks is None else [chunk.draft() for chunk in self.chunks],
        )

    @classmethod
    def of(cls, document: Document) -> Self:
        """Return the fields of the document, without its chunks."""
        return cls(title=document.title, source=document.source, metadata=dict(document.metadata))


class DeleteDocumentRequest(RequestModel):
    """A document to delete; with a version, only if it is the current one."""

    id: str
    version: int | None = None


class DeleteDocumentsRequest(RequestModel):
    """Documents to delete in one write."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"documents": [{"id": "a", "version": 7}, {"id": "b"}]}]}
    )

    documents: list[DeleteDocumentRequest] = Field(min_length=1, max_length=MAX_DOCUMENTS)

    def versions(self) -> dict[str, int | None]:
        """Return the wanted versions by id; the last entry of an id counts."""
        return {document.id: document.version for document in self.documents}


class DeleteDocumentsResponse(ResponseModel):
    """The number of deleted documents, and the ids of those that have another version."""

    deleted: int
    changed: list[str]


class DocumentResponse(EntityResponse):
    library_id: str
    title: str | None
    source: str | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime

    @property
    def path(self) -> str:
        return f"/libraries/{self.library_id}/documents/{self.id}"
