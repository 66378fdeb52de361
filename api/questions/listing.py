"""Listing of questions, newest first, from Temporal's visibility store."""

from datetime import UTC, datetime

from temporalio.client import WorkflowExecution

from api.questions.ownership import Ownership
from api.questions.states import query_of, status_of
from api.temporal import Temporal
from api.wire.questions import QuestionSummary
from core.contracts.names import LIBRARY_ATTRIBUTE, QUERY_WORKFLOW, STATUS_ATTRIBUTE
from core.contracts.query import QueryStatus
from core.domain.errors import Invalid
from workflows import search_attributes

_OUT_OF_TIME = f"{STATUS_ATTRIBUTE} = 'timed_out'"
_CONDITIONS: dict[QueryStatus, str] = {
    "running": "ExecutionStatus = 'Running'",
    "completed": "ExecutionStatus = 'Completed'",
    "cancelled": "ExecutionStatus = 'Canceled'",
    "failed": "ExecutionStatus = 'Terminated' OR "
    f"(ExecutionStatus = 'Failed' AND {STATUS_ATTRIBUTE} != 'timed_out')",
    "timed_out": f"ExecutionStatus = 'TimedOut' OR (ExecutionStatus = 'Failed' AND {_OUT_OF_TIME})",
}


def visibility_query(
    ownership: Ownership,
    *,
    library_id: str | None,
    status: QueryStatus | None,
    since: datetime | None,
    until: datetime | None,
) -> str:
    """Build the visibility query of a listing.

    Raises:
        Invalid: a time is out of range in UTC.
    """
    conditions = [f"WorkflowType = '{QUERY_WORKFLOW}'", ownership.condition(library_id)]
    if library_id is not None:
        conditions.append(f"{LIBRARY_ATTRIBUTE} = '{library_id}'")
    if status is not None:
        conditions.append(f"({_CONDITIONS[status]})")
    if since is not None:
        conditions.append(f"StartTime >= '{_utc(since, '/since')}'")
    if until is not None:
        conditions.append(f"StartTime < '{_utc(until, '/until')}'")
    return " AND ".join(conditions)


async def page(
    temporal: Temporal, query: str, *, limit: int, token: bytes | None
) -> tuple[list[QuestionSummary], bytes | None]:
    """Return the questions of a page, and the token of the next page.

    Raises:
        Unavailable: Temporal is unreachable.
    """
    async with temporal.calls() as client:
        executions = client.list_workflows(query, page_size=limit, next_page_token=token)
        await executions.fetch_next_page()
        return [
            await _summary(execution) for execution in executions.current_page or ()
        ], executions.next_page_token


async def _summary(execution: WorkflowExecution) -> QuestionSummary:
    attributes = execution.typed_search_attributes
    return QuestionSummary(
        workflow_id=execution.id,
        library=attributes.get(search_attributes.LIBRARY),
        query=await query_of(execution),
        status=status_of(execution),
        stage=attributes.get(search_attributes.STAGE),
        started_at=execution.start_time,
        ended_at=execution.close_time,
    )


def _utc(moment: datetime, pointer: str) -> str:
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError as error:
        raise Invalid.at(pointer, "This time must be in the years 1 to 9999 in UTC.") from error
