"""The messages of an ingestion's workflow.

The messages are in Temporal's history as JSON. So they have ids, hashes, names and counts, and
never a file's text: the API keeps the files, and the list of them (the manifest), by their hashes.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from core.contracts.base import Contract
from core.contracts.query import StageInput, StageOutput

FILE_HASH = "file_sha256"
"""Metadata key of a PDF's document for the hash of its file, which the API keeps for pictures."""

IngestStatus = Literal["running", "paused", "completed", "failed", "cancelled"]
FileStatus = Literal["added", "changed", "unchanged", "failed", "removed"]


class ManifestItem(BaseModel):
    """A file of an ingestion; `sha256` is the hash of its content."""

    source: str
    sha256: str
    title: str | None = None
    media_type: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class Manifest(BaseModel):
    """The files of an ingestion, in order; the API keeps it as an upload."""

    items: list[ManifestItem]


class FileOutcome(Contract):
    """The outcome of a file; `detail` is the reason of a failure or a removal.

    `version`: that of the document that the ingestion wrote. A cancelled ingestion has `removed`
    the documents that it had added.
    """

    source: str
    status: FileStatus
    chunks: int = 0
    detail: str | None = None
    version: int | None = None


class FileCounts(Contract):
    total: int
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    removed: int = 0
    pruned: int = 0

    @property
    def ended(self) -> int:
        """Return the number of files that have an outcome."""
        return self.added + self.changed + self.unchanged + self.failed + self.removed


class Failure(Contract):
    source: str
    detail: str


class IngestProgress(Contract):
    """The result of the query `progress`, and of the workflow."""

    status: IngestStatus
    files: FileCounts
    chunks: int = 0
    failures: list[Failure] = Field(default_factory=list)
    error: str | None = None


class IngestRequest(Contract):
    """The workflow's input.

    `manifest`: the hash of the manifest. `position` and `began_at`: the database's position and the
    API's time before the ingestion; a document with a later version may be the ingestion's own, and
    one that was created later is added, not changed. `outcomes`, `paused` and `is_repeated` are
    those of the run that this one continues.
    """

    library_id: str
    manifest: str
    total: int
    prune_under: str | None = None
    position: int = 0
    began_at: datetime | None = None
    instance_id: str | None = None
    outcomes: list[FileOutcome] = Field(default_factory=list)
    paused: bool = False
    is_repeated: bool = False


class IngestFilesInput(StageInput):
    """The input of `ingest_files`: the files `start` to `stop` of the manifest.

    `position` and `began_at`: as of `IngestRequest`. `is_repeated`: an attempt that failed, of an
    earlier activity, may have written documents without a report.
    """

    library_id: str
    manifest: str
    start: int
    stop: int
    position: int
    began_at: datetime | None = None
    is_repeated: bool = False


class IngestFilesOutput(StageOutput):
    outcomes: list[FileOutcome]


class PruneInput(StageInput):
    """The input of `prune`: the prefix of the sources to delete, if not in the manifest."""

    library_id: str
    manifest: str
    prefix: str


class PruneOutput(StageOutput):
    pruned: int


class RemoveInput(StageInput):
    """The input of `remove_added`; a place is a file's index in the manifest.

    `versions`: those of the added documents, by place. `doubtful`: the places of files that may
    have been ingested without a report. `position` and `began_at`: as of `IngestRequest`.
    """

    library_id: str
    manifest: str
    position: int
    began_at: datetime | None = None
    versions: dict[int, int]
    doubtful: list[int]


class RemoveOutput(StageOutput):
    """The exceptions of a removal.

    `kept`: the places of documents that were written again since. `found`: the sources of doubtful
    files whose documents were there, and are removed, by place.
    """

    kept: list[int] = Field(default_factory=list)
    found: dict[int, str] = Field(default_factory=dict)


class IngestCheckpoint(Contract):
    """The details of a heartbeat: the outcomes so far, and what had begun.

    `begun`: how often the next file was begun alone. `together`: several files were in flight, so
    that the end of the worker is not the next file's fault.
    """

    outcomes: list[FileOutcome] = Field(default_factory=list)
    begun: int = 0
    together: bool = False
