"""The archive of finished questions, filled from Temporal before Temporal forgets them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ValidationError
from temporalio.client import WorkflowExecution

from api.questions.ownership import Ownership
from api.questions.states import read_outcome
from api.temporal import Temporal
from api.wire.questions import QuestionResponse
from core.bootstrap import Core
from core.contracts.names import QUERY_WORKFLOW
from core.contracts.rerun import Found
from core.domain.errors import Conflict, NalandaError, NotFound, StorageError, Unavailable
from core.ports.archive import ArchivedQuestion, QuestionArchive

ARCHIVE_S = 5.0
IDLE_S = 60.0
"""The time between two looks while nothing has connected to Temporal."""

TRIM_S = 3600.0
LAG = timedelta(minutes=1)
"""How late the cluster may list a question that has closed."""

WORKER_WAIT = timedelta(hours=1)
"""The time after its end for which a question waits for a worker, who alone knows its stages."""

SHARE = 0.2
"""The share of the time in which questions are archived, so that they delay no running one."""

_PAGE = 200

log = logging.getLogger(__name__)


class ArchiveContent(BaseModel):
    """All that is kept of a question; `found` is null if no worker responded."""

    run_id: str
    state: QuestionResponse
    found: Found | None = None


def content_of(archived: ArchivedQuestion) -> ArchiveContent:
    """Parse the content.

    Raises:
        StorageError: the row has another shape.
    """
    try:
        return ArchiveContent.model_validate_json(archived.content)
    except ValidationError as error:
        detail = f"The archived question {archived.workflow_id!r} can't be read: {error}"
        raise StorageError(detail) from error


@asynccontextmanager
async def closed_if_archived(archive: QuestionArchive, workflow_id: str) -> AsyncIterator[None]:
    """Turn the 404 of a question that Temporal has forgotten into the 409 of a closed one.

    Raises:
        Conflict: the question is archived.
    """
    try:
        yield
    except NotFound as error:
        archived = await run_in_threadpool(archive.get, workflow_id)
        if archived is None or archived.is_deleted:
            raise
        detail = f"The question has already closed: its status is {archived.status}."
        raise Conflict(detail) from error


async def read_content(
    temporal: Temporal, ownership: Ownership, archive: QuestionArchive, workflow_id: str
) -> ArchiveContent:
    """Return all that is known of a closed question, from the archive or from Temporal.

    Raises:
        NotFound: there is no such question, or it was deleted.
        Conflict: the question still runs.
        Unavailable: Temporal is unreachable.
    """
    archived = await run_in_threadpool(archive.get, workflow_id)
    if archived is not None and not archived.is_deleted:
        return content_of(archived)
    outcome = await read_outcome(temporal, ownership, workflow_id)
    if archived is not None and archived.ended_at >= outcome.execution.start_time:
        raise NotFound("question", workflow_id)
    return ArchiveContent(run_id=outcome.execution.run_id, state=outcome.state, found=outcome.found)


async def archive_forever(
    temporal: Temporal, core: Core, ownership: Callable[[], Ownership], retention: timedelta
) -> None:
    """Archive and trim, while this process leads; an error only ends one round."""
    archiver = Archiver(temporal, core.archive, ownership, retention)
    trim_at = 0.0
    while True:
        await asyncio.sleep(ARCHIVE_S if temporal.is_connected else IDLE_S)
        if core.role != "leader":
            continue
        try:
            if time.monotonic() >= trim_at:
                trim_at = time.monotonic() + TRIM_S
                await run_in_threadpool(core.archive.trim, datetime.now(UTC) - retention)
            await archiver.archive_closed()
        except Unavailable:
            pass  # Temporal or the database is away: the next round finds what this one would
        except NalandaError as error:
            log.warning("Questions can't be archived: %s", error)


class Archiver:
    """Archives the questions that have closed since its last round; the first one takes all."""

    def __init__(
        self,
        temporal: Temporal,
        archive: QuestionArchive,
        ownership: Callable[[], Ownership],
        retention: timedelta,
    ) -> None:
        self._temporal = temporal
        self._archive = archive
        self._ownership = ownership
        self._retention = retention
        self._since: datetime | None = None

    async def archive_closed(self) -> None:
        """Archive the questions that have closed and are not in the archive.

        Raises:
            Unavailable: Temporal or the database is unreachable.
            StorageError: the archive can't be written.
        """
        began = datetime.now(UTC)
        since = began - LAG
        async for execution in self._missing(began):
            started = time.monotonic()
            if not await self._archive_one(execution):
                since = min(since, execution.close_time or since)
            await asyncio.sleep((time.monotonic() - started) * (1 / SHARE - 1))
        self._since = since

    async def _missing(self, now: datetime) -> AsyncIterator[WorkflowExecution]:
        oldest = now - self._retention
        since = max(oldest, self._since) if self._since else oldest
        query = (
            f"WorkflowType = '{QUERY_WORKFLOW}' AND {self._ownership().condition(None)}"
            f" AND ExecutionStatus != 'Running' AND CloseTime >= '{since.isoformat()}'"
        )
        token: bytes | None = None
        while True:
            async with self._temporal.calls() as client:
                listed = client.list_workflows(query, page_size=_PAGE, next_page_token=token)
                await listed.fetch_next_page()
            page = {execution.id: execution for execution in listed.current_page or ()}
            for workflow_id in await run_in_threadpool(self._archive.missing, list(page)):
                yield page[workflow_id]
            token = listed.next_page_token
            if not token:
                return

    async def _archive_one(self, execution: WorkflowExecution) -> bool:
        """Archive a question; return False if it is to be tried again later."""
        try:
            outcome = await read_outcome(self._temporal, self._ownership(), execution.id)
        except (NotFound, Conflict):  # it was deleted meanwhile
            return True
        closed_at = outcome.execution.close_time
        assert closed_at is not None  # it is closed
        if outcome.found is None and closed_at > datetime.now(UTC) - WORKER_WAIT:
            return False
        content = ArchiveContent(
            run_id=outcome.execution.run_id, state=outcome.state, found=outcome.found
        )
        question = ArchivedQuestion(
            workflow_id=execution.id,
            library_id=outcome.state.library,
            status=outcome.state.status,
            query=outcome.state.query,
            stage=outcome.state.stage,
            started_at=outcome.execution.start_time,
            ended_at=closed_at,
            content=content.model_dump_json(),
        )
        await run_in_threadpool(self._archive.put, question)
        return True
