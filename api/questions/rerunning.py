"""A finished question asked again from a stage on."""

from api.questions.archiving import ArchiveContent
from api.questions.requests import check_adjustment
from api.wire.questions import RerunRequest
from core.bootstrap import Core
from core.contracts.query import Earlier, QueryRequest, RankedChunk, Stage
from core.domain.errors import Conflict, Invalid, Unavailable

RETRY_AFTER_S = 2.0

_READERS = {"k": Stage.RETRIEVE, "mode": Stage.RETRIEVE, "filter": Stage.RETRIEVE}
_ORDER = list(Stage)


def rerun_request(
    core: Core, workflow_id: str, content: ArchiveContent, body: RerunRequest
) -> QueryRequest:
    """Build the request of a question that goes on from what another one has found.

    Raises:
        NotFound: the library is gone.
        Invalid: the library does not allow a parameter, or no stage reads it any more.
        Conflict: the question has not found what the stage needs.
        Unavailable: only a worker knows what the question has found, and none has answered.
    """
    stage = Stage(body.stage)
    _check_parameters(body, stage)
    found = content.found
    if found is None:
        detail = "No worker has told what the question has found. Start one, and retry."
        raise Unavailable(detail, retry_after_s=RETRY_AFTER_S)
    request, prepared, result = found.request, found.prepared, content.state.result
    if prepared is None or (stage is not Stage.RETRIEVE and result is None):
        raise Conflict(f"The question has found nothing from which the stage {stage} could go on.")
    check_adjustment(core, request.library_id, body)
    seen = result.position if result is not None else request.min_position
    pinned = body.at == "then"
    earlier = Earlier(
        workflow_id=workflow_id,
        stage=stage,
        prepared=prepared,
        retrieved=found.retrieved if stage is not Stage.RETRIEVE else [],
        ranked=result.hits if stage is Stage.ANSWER and result is not None else [],
        position=seen,
        until=seen if pinned else None,
    )
    if not pinned:
        earlier = _at_present(core, request.library_id, earlier)
    changes = {
        **body.changes,
        "earlier": earlier,
        "min_position": earlier.position,
        "review": request.review and stage is not Stage.ANSWER,
    }
    return request.model_copy(update=changes)


def _check_parameters(body: RerunRequest, stage: Stage) -> None:
    """Check that a stage that runs again reads each parameter.

    Raises:
        Invalid: the stage that reads one does not run.
    """
    for name in body.changes:
        reader = _READERS.get(name, Stage.RERANK)
        if _ORDER.index(reader) < _ORDER.index(stage):
            detail = f"The stage {reader} reads this, and does not run from {stage} on."
            raise Invalid.at(f"/{name}", detail)


def _at_present(core: Core, library_id: str, earlier: Earlier) -> Earlier:
    """Return the earlier question at the present position, with the hits that still exist."""
    hits = {hit.chunk_id: hit for hit in (*earlier.retrieved, *earlier.ranked)}
    with core.store.read() as snapshot:
        stored = snapshot.chunks.get_many(library_id, list(hits)) if hits else {}
        position = snapshot.position

    def present(hits: list[RankedChunk]) -> list[RankedChunk]:
        return [
            hit.model_copy(update={"version": stored[hit.chunk_id].version})
            for hit in hits
            if hit.chunk_id in stored
        ]

    changes = {"retrieved": present(earlier.retrieved), "ranked": present(earlier.ranked)}
    return earlier.model_copy(update={**changes, "position": position})
