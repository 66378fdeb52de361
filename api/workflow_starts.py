"""Starts of workflows; an idempotency key always names the same workflow."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from fastapi import Request
from temporalio.client import WorkflowExecutionDescription

from api.temporal import workflow_page
from api.wire.questions import HandleResponse
from core.domain.errors import Invalid
from core.domain.ids import new_id
from core.settings import Settings

DEAD_WORKER_AFTER = timedelta(seconds=5)
"""Timeout of a workflow task, after which Temporal gives the task to another worker."""

FINGERPRINT_MEMO = "fingerprint"
"""Key of a workflow's memo for the digest of the request that started it."""


@dataclass(frozen=True, slots=True)
class StartedWorkflow:
    """A started workflow; `again`: an earlier request with the same key started the workflow."""

    workflow_id: str
    run_id: str
    again: bool = False


def name_of(key: str | None) -> str:
    """Return the part of a workflow's id that the key decides; a new one without a key.

    A version 5 UUID (RFC 9562) derived from the key is the same on every node.
    """
    return str(uuid5(NAMESPACE_URL, key)) if key else new_id()


async def reuse_start(
    description: WorkflowExecutionDescription, fingerprint: str
) -> StartedWorkflow:
    """Return the workflow that an earlier request with the same key has started.

    Raises:
        Invalid: that request was another one.
    """
    if await description.memo_value(FINGERPRINT_MEMO, default=None) != fingerprint:
        raise Invalid.at(
            "/Idempotency-Key", "This key was used for another request; use a new key."
        )
    return StartedWorkflow(description.id, description.run_id, again=True)


def handle_response(
    request: Request, settings: Settings, resource: str, started: StartedWorkflow
) -> HandleResponse:
    """Return the links to a workflow's resource, `query` or `ingest`."""
    base = f"{request.base_url}{resource}/{started.workflow_id}"
    return HandleResponse(
        workflow_id=started.workflow_id,
        run_id=started.run_id,
        status_url=base,
        events_url=f"{base}/events",
        temporal_ui_url=workflow_page(settings, started.workflow_id, started.run_id),
    )
