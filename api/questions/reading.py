"""The state of a question, wherever it is kept."""

from fastapi.concurrency import run_in_threadpool

from api.questions.archiving import content_of
from api.questions.ownership import Ownership
from api.questions.states import read_state
from api.temporal import Temporal
from api.wire.questions import QuestionResponse
from core.domain.errors import NotFound, Unavailable
from core.ports.archive import QuestionArchive


async def read_question(
    temporal: Temporal, ownership: Ownership, archive: QuestionArchive, workflow_id: str
) -> QuestionResponse:
    """Return the state of a question from Temporal, or from the archive if that has none.

    Temporal comes first, because a question that it has forgotten may be asked again under its key.

    Raises:
        NotFound: there is no such question, or it was deleted.
        Unavailable: Temporal is unreachable, and the archive does not have the question.
    """
    archived = await run_in_threadpool(archive.get, workflow_id)
    deleted_at = archived.ended_at if archived and archived.is_deleted else None
    try:
        return await read_state(temporal, ownership, workflow_id, deleted_at=deleted_at)
    except (NotFound, Unavailable):
        if archived is None or archived.is_deleted:
            raise
        return content_of(archived).state
