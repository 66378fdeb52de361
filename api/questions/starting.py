"""Start of a question's workflow; an idempotency key always names the same workflow."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.questions.ownership import Ownership
from api.questions.states import QUERY_MEMO, describe
from api.temporal import Temporal
from core.contracts.names import QUERY_WORKFLOW, question_prefix
from core.contracts.query import QueryRequest, Stage
from core.domain.errors import Invalid
from core.domain.ids import new_id
from workflows import search_attributes

MAX_REQUEST_BYTES = 256 * 1024
"""Size limit of a workflow argument; Temporal logs a warning above."""

SUMMARY_CHARS = 60
"""Characters of the question in Temporal's Web UI: up to 6 bytes each as JSON, of 400 in all."""

QUERY_CHARS = 1_000
"""Characters of the question in listings."""

DEAD_WORKER_AFTER = timedelta(seconds=5)
"""Timeout of a workflow task, after which Temporal gives the task to another worker."""

_FINGERPRINT = "fingerprint"


@dataclass(frozen=True, slots=True)
class StartedQuestion:
    """A started workflow; `again`: an earlier request with the same key started the workflow."""

    workflow_id: str
    run_id: str
    again: bool = False


async def start(
    temporal: Temporal,
    ownership: Ownership,
    task_queue: str,
    request: QueryRequest,
    *,
    key: str | None,
    fingerprint: str,
) -> StartedQuestion:
    """Start the question's workflow, or find the workflow that the key has started.

    Raises:
        Invalid: another question has used the key, or the question is too large.
        Unavailable: Temporal is unreachable.
    """
    if len(request.model_dump_json()) > MAX_REQUEST_BYTES:
        raise Invalid.at(
            "/filter", f"A question with its filter must have at most {MAX_REQUEST_BYTES} bytes."
        )
    # A version 5 UUID (RFC 9562) derived from the key is the same on every node.
    name = uuid5(NAMESPACE_URL, key) if key else new_id()
    workflow_id = f"{question_prefix(ownership.instance_id)}{name}"
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
                memo={_FINGERPRINT: fingerprint, QUERY_MEMO: request.query[:QUERY_CHARS]},
                search_attributes=_attributes(request),
            )
        except WorkflowAlreadyStartedError:
            return await _find_started(client, ownership, workflow_id, fingerprint)
    return StartedQuestion(workflow_id, handle.result_run_id or "")


async def _find_started(
    client: Client, ownership: Ownership, workflow_id: str, fingerprint: str
) -> StartedQuestion:
    description = await describe(client, ownership, workflow_id)
    if await description.memo_value(_FINGERPRINT, default=None) != fingerprint:
        raise Invalid.at(
            "/Idempotency-Key", "This key was used for another request; use a new key."
        )
    return StartedQuestion(workflow_id, description.run_id, again=True)


def _attributes(request: QueryRequest) -> TypedSearchAttributes:
    """Return the initial search attributes, which save the workflow a write at its start."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(search_attributes.LIBRARY, request.library_id),
            SearchAttributePair(search_attributes.STATUS, "running"),
            SearchAttributePair(search_attributes.STAGE, Stage.PREPROCESS),
        ]
    )
