"""Models of ingestions."""

from datetime import datetime
from typing import Literal

from nalanda._models.base import Model

IngestionStatus = Literal["running", "paused", "completed", "failed", "cancelled"]


class IngestionHandle(Model):
    """A started ingestion, and the URLs to follow it."""

    workflow_id: str
    run_id: str
    status_url: str
    events_url: str
    temporal_ui_url: str | None = None


class FileCounts(Model):
    total: int
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    removed: int = 0
    pruned: int = 0


class FileFailure(Model):
    """A file that was not ingested, and why."""

    source: str
    detail: str


class Ingestion(Model):
    """The state of an ingestion; `chunks` counts those of added and changed documents.

    `waiting_for` is `worker` while no worker takes it. `last_failure` and `next_attempt_at` are of
    what is tried again.
    """

    workflow_id: str
    status: IngestionStatus
    library: str | None = None
    files: FileCounts
    chunks: int = 0
    failures: list[FileFailure] = []
    waiting_for: str | None = None
    last_failure: str | None = None
    next_attempt_at: datetime | None = None
    error: str | None = None
    started_at: datetime
    ended_at: datetime | None = None

    @property
    def closed(self) -> bool:
        return self.status not in {"running", "paused"}
