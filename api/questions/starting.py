"""Start of a question's workflow; an idempotency key always names the same workflow."""

from dataclasses import dataclass

from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.questions.ownership import Ownership
from api.questions.states import QUERY_MEMO, describe
from api.temporal import Temporal
from api.workflow_starts import (
    DEAD_WORKER_AFTER,
    FINGERPRINT_MEMO,
    StartedWorkflow,
    name_of,
    reuse_start,
)
from core.contracts.names import QUERY_WORKFLOW, question_prefix
from core.contracts.query import QueryRequest, Stage
from core.domain.errors import Invalid
from workflows.search_attributes import initial_attributes

MAX_REQUEST_BYTES = 256 * 1024
"""Size limit of a workflow argument; Temporal logs a warning above."""

SUMMARY_CHARS = 60
"""Characters of the question in Temporal's Web UI: up to 6 bytes each as JSON, of 400 in all."""

QUERY_CHARS = 1_000
"""Characters of the question in listings."""


@dataclass(frozen=True, slots=True)
class QuestionStart:
    """The start of a question: its workflow id, its request, and the digest of the call."""

    workflow_id: str
    request: QueryRequest
    fingerprint: str

    @property
    def summary(self) -> str:
        return self.request.query[:SUMMARY_CHARS]

    @property
    def memo(self) -> dict[str, str]:
        return {FINGERPRINT_MEMO: self.fingerprint, QUERY_MEMO: self.request.query[:QUERY_CHARS]}


def prepare_start(
    ownership: Ownership, request: QueryRequest, *, key: str | None, fingerprint: str
) -> QuestionStart:
    """Return what to start, under an id that the key decides.

    Raises:
        Invalid: the question is too large.
    """
    if len(request.model_dump_json()) > MAX_REQUEST_BYTES:
        raise Invalid.at(
            "/filter", f"A question with its filter must have at most {MAX_REQUEST_BYTES} bytes."
        )
    workflow_id = f"{question_prefix(ownership.instance_id)}{name_of(key)}"
    return QuestionStart(workflow_id, request, fingerprint)


async def start(
    temporal: Temporal, ownership: Ownership, task_queue: str, question: QuestionStart
) -> StartedWorkflow:
    """Start the question's workflow, or find the workflow that the key has started.

    Raises:
        Invalid: another question has used the key.
        Unavailable: Temporal is unreachable.
    """
    request = question.request
    async with temporal.calls() as client:
        try:
            handle = await client.start_workflow(
                QUERY_WORKFLOW,
                request,
                id=question.workflow_id,
                task_queue=task_queue,
                task_timeout=DEAD_WORKER_AFTER,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=question.summary,
                memo=question.memo,
                search_attributes=initial_attributes(request.library_id, stage=Stage.PREPROCESS),
            )
        except WorkflowAlreadyStartedError:
            description = await describe(client, ownership, question.workflow_id)
            return await reuse_start(description, question.fingerprint)
    return StartedWorkflow(question.workflow_id, handle.result_run_id or "")
