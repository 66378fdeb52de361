"""Routes of `/libraries/{library_id}/embedding-model`."""

from fastapi import Request, Response, status
from fastapi.concurrency import run_in_threadpool

from api.http.bodies.json import JsonBody, parse
from api.http.dependencies import CoreOf, SettingsOf, TemporalOf
from api.http.idempotency import IdempotencyKey, start_headers
from api.http.openapi import BODY, READ, responses_of
from api.http.responses import accepted_response, json_response, no_content
from api.http.routing import Routes
from api.model_changes.starting import (
    ModelChangeStartsOf,
    begin_change,
    begin_revert,
    cancel_workflow,
)
from api.model_changes.states import model_change_state
from api.temporal import workflow_page
from api.wire.model_changes import (
    ModelChangeHandleResponse,
    ModelChangeRequest,
    ModelChangeResponse,
    ModelChangeStepRequest,
    ModelChangeStepResponse,
)
from api.wire.questions import AcceptedResponse
from api.workflow_starts import StartedWorkflow
from core.bootstrap import Core
from core.settings import Settings

router = Routes("embedding models", "/libraries/{library_id}/embedding-model", of_writer=True)


@router.post(
    "",
    body=ModelChangeRequest,
    status_code=status.HTTP_202_ACCEPTED,
    responses=responses_of(202, ModelChangeHandleResponse, *BODY, 409),
)
async def change_embedding_model(
    request: Request,
    core: CoreOf,
    settings: SettingsOf,
    starts: ModelChangeStartsOf,
    library_id: str,
    body: JsonBody,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Move a library to another embedding model, while it is searched and written to."""
    model = parse(ModelChangeRequest, body).model
    started = await starts.start(
        core, library_id, begin_change(core, library_id, model), model, key=idempotency_key
    )
    return _handle(request, core, settings, library_id, started)


@router.get("", responses=responses_of(200, ModelChangeResponse, *READ))
async def get_model_change(
    core: CoreOf, temporal: TemporalOf, starts: ModelChangeStartsOf, library_id: str
) -> Response:
    """Return the last change of a library's model, old against new."""
    state = await model_change_state(core, temporal, starts, library_id)
    return json_response(state.value.model_dump(), position=state.position)


@router.post(
    "/revert",
    status_code=status.HTTP_202_ACCEPTED,
    responses=responses_of(202, ModelChangeHandleResponse, *READ, 409, 507),
)
async def revert_model_change(
    request: Request,
    core: CoreOf,
    settings: SettingsOf,
    starts: ModelChangeStartsOf,
    library_id: str,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Move a library back to the model before the last change."""
    started = await starts.start(
        core, library_id, begin_revert(core, library_id), "revert", key=idempotency_key
    )
    return _handle(request, core, settings, library_id, started)


@router.post(
    "/cancel",
    status_code=status.HTTP_202_ACCEPTED,
    responses=responses_of(202, AcceptedResponse, *READ, 409, 507),
)
async def cancel_model_change(core: CoreOf, temporal: TemporalOf, library_id: str) -> Response:
    """Cancel a change or a revert in progress. The library keeps its model."""
    cancelled = await run_in_threadpool(core.model_changes.cancel, library_id)
    await cancel_workflow(temporal, cancelled.value.workflow_id)
    return accepted_response(cancelled.value.workflow_id, cancelled.position)


@router.delete(
    "/previous",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses_of(204, None, *READ, 409, 507),
)
def forget_previous_model(core: CoreOf, library_id: str) -> Response:
    """Delete the embeddings of the model before the last change, which ends its revert."""
    return no_content(core.model_changes.forget(library_id))


@router.post(
    "/advance",
    body=ModelChangeStepRequest,
    responses=responses_of(200, ModelChangeStepResponse, *BODY, 409),
)
def advance_model_change(core: CoreOf, library_id: str, body: JsonBody) -> Response:
    """Do the next step of a change in progress, for workers."""
    wanted = parse(ModelChangeStepRequest, body)
    progress = core.model_change_steps.advance(
        library_id, model=wanted.model, state=wanted.wanted, after=wanted.after
    )
    change = progress.value.change
    answer = ModelChangeStepResponse(
        state=change.state.value,
        after=progress.value.after,
        staged=change.staged,
        total=change.total,
        error=change.error,
    )
    return json_response(answer.model_dump(), position=progress.position)


def _handle(
    request: Request, core: Core, settings: Settings, library_id: str, started: StartedWorkflow
) -> Response:
    handle = ModelChangeHandleResponse(
        workflow_id=started.workflow_id,
        run_id=started.run_id,
        status_url=str(request.url_for("get_model_change", library_id=library_id)),
        temporal_ui_url=workflow_page(settings, started.workflow_id, started.run_id),
    )
    headers = start_headers(handle.status_url, again=started.again)
    return json_response(
        handle.model_dump(),
        status.HTTP_202_ACCEPTED,
        position=core.store.position,
        headers=headers,
    )
