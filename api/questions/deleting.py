"""Deletion of a finished question, in Temporal and in the archive."""

from datetime import UTC, datetime

from fastapi.concurrency import run_in_threadpool
from temporalio.client import WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from api.questions.ownership import Ownership
from api.questions.states import describe, status_of
from api.temporal import Temporal, delete_run
from core.domain.errors import Conflict, NotFound
from core.ports.archive import ArchivedQuestion, QuestionArchive


async def delete(
    temporal: Temporal, ownership: Ownership, archive: QuestionArchive, workflow_id: str
) -> None:
    """Delete the history and the archived question.

    Temporal deletes a history a moment later, so the archive keeps that the question was deleted.

    Raises:
        NotFound: there is no such question.
        Conflict: the question still runs.
        Unavailable: Temporal is unreachable.
    """
    archived = await run_in_threadpool(archive.get, workflow_id)
    try:
        async with temporal.calls() as client:
            description = await describe(client, ownership, workflow_id)
            _check_closed(description, archived)
            await delete_run(client, workflow_id, description.run_id)
    except NotFound:
        if archived is None or archived.is_deleted:
            raise
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    await run_in_threadpool(archive.delete, workflow_id, datetime.now(UTC))


def _check_closed(
    description: WorkflowExecutionDescription, archived: ArchivedQuestion | None
) -> None:
    """Check that the question can be deleted, and was not yet.

    Raises:
        NotFound: it was deleted before.
        Conflict: it still runs.
    """
    if archived and archived.is_deleted and archived.ended_at >= description.start_time:
        raise NotFound("question", description.id)
    if status_of(description) == "running":
        raise Conflict("The question is still running: cancel it before its deletion.")
