"""Listing of questions: those that Temporal lists, and then older ones from the archive."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from fastapi.concurrency import run_in_threadpool
from temporalio.client import WorkflowExecution

from api.questions.ownership import Ownership
from api.questions.states import query_of, status_of
from api.temporal import Temporal
from api.wire.questions import QuestionSummary
from core.contracts.names import LIBRARY_ATTRIBUTE, QUERY_WORKFLOW, STATUS_ATTRIBUTE
from core.contracts.query import QueryStatus
from core.domain.errors import Invalid
from core.ports.archive import ArchivedQuestion, ArchiveFilter, ArchivePlace, QuestionArchive
from workflows import search_attributes

_AHEAD = timedelta(days=1)
"""How far the clock of Temporal may be ahead of this one."""

_OUT_OF_TIME = f"{STATUS_ATTRIBUTE} = 'timed_out'"
_CONDITIONS: dict[QueryStatus, str] = {
    "running": "ExecutionStatus = 'Running'",
    "completed": "ExecutionStatus = 'Completed'",
    "cancelled": "ExecutionStatus = 'Canceled'",
    "failed": "ExecutionStatus = 'Terminated' OR "
    f"(ExecutionStatus = 'Failed' AND {STATUS_ATTRIBUTE} != 'timed_out')",
    "timed_out": f"ExecutionStatus = 'TimedOut' OR (ExecutionStatus = 'Failed' AND {_OUT_OF_TIME})",
}


def visibility_query(ownership: Ownership, condition: ArchiveFilter) -> str:
    """Build the visibility query of a listing.

    Raises:
        Invalid: a time is out of range in UTC.
    """
    library_id, status = condition.library_id, cast("QueryStatus | None", condition.status)
    since, until = condition.since, condition.until
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


class Listing:
    """A listing: the running questions, and then the closed ones, the last one first.

    Temporal lists those that it keeps in this order. The archive goes on behind the last one of
    Temporal's; a cursor has that one's end and id, and Temporal's token until its last page.
    """

    def __init__(
        self, temporal: Temporal, archive: QuestionArchive, query: str, condition: ArchiveFilter
    ) -> None:
        self._temporal = temporal
        self._archive = archive
        self._query = query
        self._condition = condition

    async def page(
        self, after: Sequence[str] | None, *, limit: int
    ) -> tuple[list[QuestionSummary], list[str] | None]:
        """Return a page behind a cursor's value, and the value of the next one's.

        Raises:
            Unavailable: Temporal is unreachable.
        """
        ended_at, workflow_id, token = after or ("", "", "")
        last = ArchivePlace(
            datetime.fromisoformat(ended_at) if ended_at else datetime.now(UTC) + _AHEAD,
            workflow_id,
        )
        if after is not None and not token:
            return await self._archived([], last, limit)
        items, next_token = await self._listed(limit, base64.b64decode(token) or None)
        closed = [item for item in items if item.ended_at is not None]
        if closed:
            assert closed[-1].ended_at is not None
            last = ArchivePlace(closed[-1].ended_at, closed[-1].workflow_id)
        if next_token:
            return items, _cursor(last, base64.b64encode(next_token).decode())
        return await self._archived(items, last, limit)

    async def _listed(
        self, limit: int, token: bytes | None
    ) -> tuple[list[QuestionSummary], bytes | None]:
        """Return a page of Temporal's, without the questions that it has still to delete."""
        async with self._temporal.calls() as client:
            listed = client.list_workflows(self._query, page_size=limit, next_page_token=token)
            await listed.fetch_next_page()
            items = [await _summary(execution) for execution in listed.current_page or ()]
        closed = [item.workflow_id for item in items if item.ended_at is not None]
        deleted = await run_in_threadpool(self._archive.deleted, closed)
        return [item for item in items if item.workflow_id not in deleted], listed.next_page_token

    async def _archived(
        self, items: list[QuestionSummary], last: ArchivePlace, limit: int
    ) -> tuple[list[QuestionSummary], list[str] | None]:
        """Fill a page from the archive."""
        room = limit - len(items)
        rows = await run_in_threadpool(self._archive.page, self._condition, last, limit=room + 1)
        page = [*items, *map(_archived_summary, rows[:room])]
        if len(rows) <= room:
            return page, None
        if room:
            last = ArchivePlace(rows[room - 1].ended_at, rows[room - 1].workflow_id)
        return page, _cursor(last, "")


def _cursor(last: ArchivePlace, token: str) -> list[str]:
    return [last.ended_at.isoformat(), last.workflow_id, token]


def _archived_summary(question: ArchivedQuestion) -> QuestionSummary:
    return QuestionSummary(
        workflow_id=question.workflow_id,
        library=question.library_id,
        query=question.query,
        status=cast("QueryStatus", question.status),
        stage=question.stage,
        started_at=question.started_at,
        ended_at=question.ended_at,
    )


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
