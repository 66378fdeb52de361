"""Wire models of libraries."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field

from api.wire.base import EntityResponse, JsonObject, RequestModel, ResponseModel, Scalar
from api.wire.index import IndexRequest
from core.domain.library import IndexKind, IndexSpec, Language, Library, LibraryDraft, Metric
from core.domain.schema import FieldRule, FieldType, MetadataSchema
from core.domain.vectors import MAX_DIMENSION


class FieldRequest(RequestModel):
    type: FieldType
    required: bool = False
    enum: list[Scalar] | None = Field(default=None, max_length=1_000)

    def rule(self) -> FieldRule:
        enum = None if self.enum is None else tuple(self.enum)
        return FieldRule(self.type, self.required, enum)


class SchemaRequest(RequestModel):
    """The metadata fields of a library's chunks, with their types."""

    fields: dict[str, FieldRequest] = Field(default_factory=dict, max_length=1_000)
    additional: bool = Field(default=True, description="Allow other fields.")

    def schema_of_metadata(self) -> MetadataSchema:
        return MetadataSchema(
            {name: field.rule() for name, field in self.fields.items()}, self.additional
        )


class LibraryRequest(RequestModel):
    """A library to create; omitted fields get their defaults."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "papers",
                    "description": "What we read",
                    "metadata_schema": {
                        "fields": {
                            "year": {"type": "integer", "required": True},
                            "kind": {"type": "string", "enum": ["article", "book"]},
                        },
                        "additional": False,
                    },
                    "metric": "cosine",
                }
            ]
        }
    )

    name: str
    description: str | None = None
    metadata: JsonObject = Field(default_factory=dict)
    metadata_schema: SchemaRequest | None = None
    dimension: int | None = Field(default=None, ge=1, le=MAX_DIMENSION)
    metric: Metric | None = None
    index: IndexRequest = IndexRequest(kind=IndexKind.AUTO)
    embedding_model: str | None = None
    language: Language = Field(
        default=Language.ENGLISH,
        description="Language of the texts, for lexical search; auto: the texts' own.",
    )

    def draft(self) -> LibraryDraft:
        schema = self.metadata_schema
        return LibraryDraft(
            name=self.name,
            description=self.description,
            metadata=self.metadata,
            metadata_schema=schema.schema_of_metadata() if schema else None,
            dimension=self.dimension,
            metric=self.metric,
            index=self.index.spec(),
            embedding_model=self.embedding_model,
            language=self.language,
        )

    @classmethod
    def of(cls, library: Library) -> Self:
        """Return the fields of the library."""
        fields = LibraryResponse.model_validate(library).model_dump(
            mode="json", include=set(cls.model_fields)
        )
        return cls.model_validate(fields, strict=False)


class FieldResponse(ResponseModel):
    type: FieldType
    required: bool
    enum: tuple[str | int | float | bool, ...] | None = Field(
        default=None, exclude_if=lambda enum: enum is None
    )


class SchemaResponse(ResponseModel):
    fields: dict[str, FieldResponse]
    additional: bool


def _flat(index: object) -> object:
    if isinstance(index, IndexSpec):
        return {"kind": index.kind, **index.parameters}
    return index


class LibraryResponse(EntityResponse):
    """A library; `dimension` and `embedding_model` are null until the first vector sets them."""

    name: str
    description: str | None
    metadata: dict[str, Any]
    metadata_schema: SchemaResponse | None
    dimension: int | None
    metric: Metric
    index: Annotated[Mapping[str, Any], BeforeValidator(_flat)]
    embedding_model: str | None
    language: Language
    created_at: datetime
    updated_at: datetime

    @property
    def path(self) -> str:
        return f"/libraries/{self.id}"
