"""A question becomes a workflow; under an idempotency key, the same one each time."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.questions.ownership import Ownership
from api.questions.states import QUERY_MEMO, describe
from api.temporal import Temporal
from core.contracts.names import QUERY_WORKFLOW, Stage, question_prefix
from core.contracts.query import QueryRequest
from core.domain.errors import Invalid
from core.domain.ids import new_id
from workflows import search_attributes

MAX_REQUEST_BYTES = 256 * 1024
"""What Temporal takes as an argument without a warning."""

SUMMARY_CHARS = 60
"""Of the question, for the Temporal Web UI: at most 6 bytes each as JSON, and 400 are taken."""

QUERY_CHARS = 1_000
"""The first characters of the question, for listings."""

DEAD_WORKER_AFTER = timedelta(seconds=5)
"""A worker that has not decided what comes next by then is dead, and another one is asked."""

_FINGERPRINT = "fingerprint"


@dataclass(frozen=True, slots=True)
class Started:
    """`again`: it was started before, by the same call under the same key."""

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
) -> Started:
    """Start the question's workflow, or find the one that the key has started.

    Raises:
        Invalid: the key was another question's, or the question is too large.
        Unavailable: no Temporal in reach.
    """
    if len(request.model_dump_json()) > MAX_REQUEST_BYTES:
        raise Invalid.at("/filter", f"A question has at most {MAX_REQUEST_BYTES} bytes.")
    # A name made from the key (RFC 9562, version 5) is the same on every node.
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
            return await _started_before(client, ownership, workflow_id, fingerprint)
    return Started(workflow_id, handle.result_run_id or "")


async def _started_before(
    client: Client, ownership: Ownership, workflow_id: str, fingerprint: str
) -> Started:
    description = await describe(client, ownership, workflow_id)
    if await description.memo_value(_FINGERPRINT, default=None) != fingerprint:
        raise Invalid.at("/Idempotency-Key", "This key was used for another call.")
    return Started(workflow_id, description.run_id, again=True)


def _attributes(request: QueryRequest) -> TypedSearchAttributes:
    """As the workflow would set them itself at its start, at the cost of a write."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(search_attributes.LIBRARY, request.library_id),
            SearchAttributePair(search_attributes.STATUS, "running"),
            SearchAttributePair(search_attributes.STAGE, Stage.PREPROCESS),
        ]
    )
