"""Start of an ingestion's workflow; an idempotency key always names the same workflow."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from fastapi.concurrency import run_in_threadpool
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.ingestions.receiving import ReceivedFiles
from api.ingestions.states import TOTAL_MEMO, find_ingestion
from api.temporal import Temporal
from api.workflow_starts import (
    DEAD_WORKER_AFTER,
    FINGERPRINT_MEMO,
    StartedWorkflow,
    name_of,
    reuse_start,
)
from core.contracts.ingest import IngestRequest
from core.contracts.names import INGEST_WORKFLOW, ingest_queue_of, ingestion_prefix
from core.domain.errors import NotFound
from core.ports.uploads import UploadStore
from core.settings import Settings
from workflows.search_attributes import initial_attributes


@dataclass(frozen=True, slots=True)
class Destination:
    """The library that the files go to, the instance, and its position and time before them."""

    library_id: str
    instance_id: str
    position: int
    began_at: datetime


async def start_ingestion(
    temporal: Temporal,
    uploads: UploadStore,
    settings: Settings,
    files: ReceivedFiles,
    destination: Destination,
    *,
    key: str | None,
) -> StartedWorkflow:
    """Start the ingestion, or find the one that the key has started.

    The uploads are referred to before the workflow starts, so that none is deleted.

    Raises:
        Invalid: another ingestion has used the key.
        Unavailable: Temporal is unreachable.
        StorageError: there is no room, or the disk fails.
    """
    content = files.manifest.model_dump_json().encode()
    manifest = await run_in_threadpool(uploads.put, content)
    workflow_id = f"{ingestion_prefix(destination.instance_id)}{name_of(key)}"
    hashes = [manifest, *dict.fromkeys(item.sha256 for item in files.manifest.items)]
    request = IngestRequest(
        library_id=destination.library_id,
        manifest=manifest,
        total=len(files.manifest.items),
        prune_under=files.prune_under,
        position=destination.position,
        began_at=destination.began_at,
        instance_id=destination.instance_id,
    )
    fingerprint = _fingerprint(request)
    async with temporal.calls() as client:
        if key is not None and (
            ingestion := await _find_ingestion(temporal, destination, workflow_id, fingerprint)
        ):
            return ingestion
        await run_in_threadpool(uploads.refer, workflow_id, hashes)
        try:
            handle = await client.start_workflow(
                INGEST_WORKFLOW,
                request,
                id=workflow_id,
                task_queue=ingest_queue_of(destination.instance_id, settings.task_queue),
                task_timeout=DEAD_WORKER_AFTER,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=f"{request.total} files",
                memo={FINGERPRINT_MEMO: fingerprint, TOTAL_MEMO: request.total},
                search_attributes=initial_attributes(request.library_id),
            )
        except WorkflowAlreadyStartedError:  # a concurrent repeat of the request
            ingestion = await _find_ingestion(temporal, destination, workflow_id, fingerprint)
            assert ingestion is not None
            return ingestion
    return StartedWorkflow(workflow_id, handle.result_run_id or "")


async def _find_ingestion(
    temporal: Temporal, destination: Destination, workflow_id: str, fingerprint: str
) -> StartedWorkflow | None:
    async with temporal.calls() as client:
        try:
            ingestion = await find_ingestion(client, destination.instance_id, workflow_id)
        except NotFound:
            return None
        return await reuse_start(ingestion.description, fingerprint)


def _fingerprint(request: IngestRequest) -> str:
    """Return a digest of the files and where they go; the bytes of an upload differ each time."""
    parts = (request.library_id, request.manifest, request.prune_under or "")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
