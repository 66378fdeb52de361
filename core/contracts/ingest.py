"""The messages of an ingestion's workflow.

The messages are in Temporal's history as JSON. So they have ids, hashes, names and counts, and
never a file's text: the API keeps the files, and the list of them (the manifest), by their hashes.
"""

from typing import Any, Literal

from pydantic import BaseModel, Field

from core.contracts.query import Contract, StageInput, StageOutput

IngestStatus = Literal["running", "paused", "completed", "failed", "cancelled"]
FileStatus = Literal["added", "changed", "unchanged", "failed"]

MAX_FILES = 1000
"""Maximum number of files in one ingestion."""

MAX_SOURCE_BYTES = 1024
"""Limit of a source, which is in the workflow's history."""


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
    """The outcome of a file; `detail` is the reason of a failure."""

    source: str
    status: FileStatus
    chunks: int = 0
    detail: str | None = None


class FileCounts(Contract):
    total: int
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    pruned: int = 0

    @property
    def ended(self) -> int:
        """Return the number of files that have an outcome."""
        return self.added + self.changed + self.unchanged + self.failed


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

    `manifest`: the hash of the manifest. `position`: the database's position before the ingestion;
    a document with a later version may be the ingestion's own. `outcomes` and `paused` are those of
    the run that this one continues.
    """

    library_id: str
    manifest: str
    total: int
    prune_under: str | None = None
    position: int = 0
    instance_id: str | None = None
    outcomes: list[FileOutcome] = Field(default_factory=list)
    paused: bool = False


class IngestFilesInput(StageInput):
    """The input of `ingest_files`: the files `start` to `stop` of the manifest."""

    library_id: str
    manifest: str
    start: int
    stop: int
    position: int


class IngestFilesOutput(StageOutput):
    outcomes: list[FileOutcome]


class PruneInput(StageInput):
    """The input of `prune`: the prefix of the sources to delete, if not in the manifest."""

    library_id: str
    manifest: str
    prefix: str


class PruneOutput(StageOutput):
    pruned: int


class IngestCheckpoint(Contract):
    """The details of a heartbeat: the outcomes so far, and how often the next file was begun."""

    outcomes: list[FileOutcome] = Field(default_factory=list)
    begun: int = 0
