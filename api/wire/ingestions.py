"""Wire models of ingestions."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from api.wire.base import JsonObject, RequestModel, ResponseModel
from api.wire.streams import EventStream
from core.contracts.ingest import Failure, FileCounts, FileOutcome, IngestStatus
from core.contracts.limits import MAX_FILES, MAX_SOURCE_BYTES
from core.domain.place import MAX_TITLE_LENGTH

_EXAMPLE: JsonDict = {
    "source": "notes/ports.md",
    "text": "# Ports\n\nThe harbour is nine fathoms deep.",
}


def check_source(source: str) -> str:
    """Check that a source can name a document in one line.

    Raises:
        PydanticCustomError: the source is empty, too long, or has control characters.
    """
    size_bytes = len(source.encode(errors="surrogatepass"))
    if not source.strip() or size_bytes > MAX_SOURCE_BYTES or not source.isprintable():
        raise PydanticCustomError(
            "source",
            "A source must have 1 to 1024 bytes, all of them printable characters.",
        )
    return source


Source = Annotated[
    str, AfterValidator(check_source), WithJsonSchema({"type": "string", "minLength": 1})
]
Prefix = Annotated[str, Field(min_length=1, max_length=MAX_SOURCE_BYTES)]
MediaType = Annotated[str, Field(max_length=255)]


class IngestionItem(RequestModel):
    """A file: a `text`, or its content in base64. `source` identifies the document."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    has_texts = True

    source: Source
    title: str | None = Field(default=None, max_length=MAX_TITLE_LENGTH)
    media_type: MediaType | None = None
    text: str | None = None
    content_base64: str | None = None
    metadata: JsonObject = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_one_content(self) -> Self:
        if (self.text is None) == (self.content_base64 is None):
            raise PydanticCustomError("content", "Give either a text or a content_base64.")
        return self

    def content(self) -> bytes | None:
        """Return the content, or `None` if it is not base64."""
        if self.text is not None:
            return self.text.encode(errors="surrogatepass")
        try:
            return base64.b64decode(self.content_base64 or "", validate=True)
        except binascii.Error:
            return None


class IngestionOptions(RequestModel):
    """The options of an ingestion of uploaded files."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"prune_under": "notes/"}]})

    prune_under: Prefix | None = Field(
        default=None,
        description="Delete the documents whose source begins so and is not among the files.",
    )
    metadata: JsonObject = Field(default_factory=dict, description="Metadata of every document.")


class IngestionRequest(RequestModel):
    """Files to ingest, each with a source of its own."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_EXAMPLE]}]})

    has_texts = True
    split = "items"
    item = IngestionItem
    max_items = MAX_FILES

    items: list[IngestionItem] = Field(min_length=1, max_length=MAX_FILES)
    prune_under: Prefix | None = None


class IngestionFilesRequest(RequestModel):
    """Uploaded files: the name of each is the source of its document."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"file": ["# Ports"], "options": {"prune_under": "a/"}}]}
    )

    file: list[Annotated[str, WithJsonSchema({"type": "string", "format": "binary"})]] = Field(
        min_length=1, max_length=MAX_FILES
    )
    options: IngestionOptions | None = None


class IngestionResponse(ResponseModel):
    """The state of an ingestion; `library` is an id.

    `chunks` counts those of added and changed documents. `waiting_for` says what a running
    ingestion waits for; `last_failure` and `next_attempt_at` are of what is tried again.
    """

    workflow_id: str
    status: IngestStatus
    library: str | None
    files: FileCounts
    chunks: int
    failures: list[Failure]
    waiting_for: Literal["worker"] | None
    last_failure: str | None
    next_attempt_at: datetime | None
    error: str | None
    started_at: datetime
    ended_at: datetime | None


class IngestionProgressEvent(ResponseModel):
    """The progress, after a file has ended and when what hinders an ingestion changes."""

    status: IngestStatus
    files: FileCounts
    chunks: int
    waiting_for: Literal["worker"] | None
    last_failure: str | None


class IngestionErrorEvent(ResponseModel):
    """The end of an ingestion that did not complete."""

    status: IngestStatus
    detail: str | None


INGESTION_EVENTS = EventStream(
    "IngestionEvent",
    {
        "file": FileOutcome,
        "progress": IngestionProgressEvent,
        "result": IngestionResponse,
        "error": IngestionErrorEvent,
    },
)
