"""Start of a question's workflow; an idempotency key always names the same workflow."""

from temporalio.common import SearchAttributePair, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.questions.ownership import Ownership
from api.questions.states import QUERY_MEMO, describe
from api.temporal import Temporal
from api.workflow_starts import (
    DEAD_WORKER_AFTER,
    FINGERPRINT_MEMO,
    StartedWorkflow,
    initial_attributes,
    name_of,
    reuse_start,
)
from core.contracts.names import QUERY_WORKFLOW, question_prefix
from core.contracts.query import QueryRequest, Stage
from core.domain.errors import Invalid
from workflows import search_attributes

MAX_REQUEST_BYTES = 256 * 1024
"""Size limit of a workflow argument; Temporal logs a warning above."""

SUMMARY_CHARS = 60
"""Characters of the question in Temporal's Web UI: up to 6 bytes each as JSON, of 400 in all."""

QUERY_CHARS = 1_000
"""Characters of the question in listings."""


async def start(
    temporal: Temporal,
    ownership: Ownership,
    task_queue: str,
    request: QueryRequest,
    *,
    key: str | None,
    fingerprint: str,
) -> StartedWorkflow:
    """Start the question's workflow, or find the workflow that the key has started.

    Raises:
        Invalid: another question has used the key, or the question is too large.
        Unavailable: Temporal is unreachable.
    """
    if len(request.model_dump_json()) > MAX_REQUEST_BYTES:
        raise Invalid.at(
            "/filter", f"A question with its filter must have at most {MAX_REQUEST_BYTES} bytes."
        )
    workflow_id = f"{question_prefix(ownership.instance_id)}{name_of(key)}"
    async with temporal.calls() as client:
        try:
            handle = await client.start_workflow(
                QUERY_WORKFLOW,
                request,
                id=workflow_id,
                task_queue=task_queue,
                task_timeout=DEAD_WORKER_AFTER,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=request.query[:SUMMARY_CHARS],
                memo={FINGERPRINT_MEMO: fingerprint, QUERY_MEMO: request.query[:QUERY_CHARS]},
                search_attributes=initial_attributes(
                    request.library_id,
                    SearchAttributePair(search_attributes.STAGE, Stage.PREPROCESS),
                ),
            )
        except WorkflowAlreadyStartedError:
            description = await describe(client, ownership, workflow_id)
            return await reuse_start(description, fingerprint)
    return StartedWorkflow(workflow_id, handle.result_run_id or "")
