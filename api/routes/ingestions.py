"""Routes of `/libraries/{library_id}/ingest`, `/ingest` and `/uploads`."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Header, Request, Response, status
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from api.http.dependencies import CoreOf, SettingsOf, TemporalOf
from api.http.event_streams import LAST, events_response, number_of
from api.http.idempotency import IdempotencyKey, start_headers
from api.http.openapi import BODY, READ, responses_of
from api.http.responses import accepted_response, json_response
from api.http.routing import Routes
from api.ingestions import steering
from api.ingestions.receiving import receive_files
from api.ingestions.starting import Destination, start_ingestion
from api.ingestions.states import ingestion_state
from api.ingestions.streaming import stream
from api.wire.ingestions import (
    INGESTION_EVENTS,
    IngestionFilesRequest,
    IngestionRequest,
    IngestionResponse,
)
from api.wire.questions import AcceptedResponse, HandleResponse
from api.workflow_starts import handle_response
from core.bootstrap import Core
from core.contracts.names import PAUSE_SIGNAL, RESUME_SIGNAL
from core.domain.errors import Invalid, NotFound

router = Routes("ingestions", of_writer=True)


@router.post(
    "/libraries/{library_id}/ingest",
    body=IngestionRequest,
    upload=IngestionFilesRequest,
    writes=False,
    status_code=status.HTTP_202_ACCEPTED,
    responses=responses_of(202, HandleResponse, *BODY),
)
async def ingest(
    request: Request,
    core: CoreOf,
    settings: SettingsOf,
    temporal: TemporalOf,
    library_id: str,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Start an ingestion of files: as `multipart/form-data`, or as JSON."""
    core.catalog.state.library(library_id)  # with the client, before a large body is read
    await temporal.client()
    files = await receive_files(request, core.uploads)
    destination = _destination(core, library_id)
    started = await start_ingestion(
        temporal, core.uploads, settings, files, destination, key=idempotency_key
    )
    handle = handle_response(request, settings, "ingest", started)
    headers = start_headers(handle.status_url, again=started.again)
    return json_response(
        handle.model_dump(),
        status.HTTP_202_ACCEPTED,
        position=destination.position,
        headers=headers,
    )


def _destination(core: Core, library: str) -> Destination:
    """Return where the files go.

    Raises:
        NotFound: there is no such library.
        Invalid: the library has client-supplied vectors, so the server can't embed texts.
    """
    state = core.catalog.state
    view = state.library(library)
    if view.library.embedding_model is None and view.vectors:
        raise Invalid.at(
            "/library_id",
            "The library has client-supplied vectors and no embedding model, so it takes no files.",
        )
    return Destination(
        view.library.id, core.store.instance_id, state.position, began_at=datetime.now(UTC)
    )


@router.get("/ingest/{workflow_id}", responses=responses_of(200, IngestionResponse, *READ))
async def get_ingestion(core: CoreOf, temporal: TemporalOf, workflow_id: str) -> Response:
    state = await ingestion_state(temporal, core.store.instance_id, workflow_id)
    return json_response(state.model_dump(), position=core.catalog.position)


@router.get(
    "/ingest/{workflow_id}/events",
    response_class=StreamingResponse,
    events=INGESTION_EVENTS,
    responses={
        204: {"description": "The client has seen the last event and need not reconnect."},
        **responses_of(404, None, *READ),
    },
)
async def get_ingestion_events(
    core: CoreOf,
    temporal: TemporalOf,
    workflow_id: str,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", description="Resume after this event.")
    ] = None,
) -> Response:
    """Stream the events `file`, `progress`, and `result` or `error`, as they occur."""
    instance_id = core.store.instance_id
    await ingestion_state(temporal, instance_id, workflow_id)
    after = number_of(last_event_id)
    if after >= LAST:
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    events = stream(temporal, instance_id, workflow_id, after)
    return events_response(events)


@router.post(
    "/ingest/{workflow_id}/cancel",
    writes=False,
    status_code=status.HTTP_202_ACCEPTED,
    responses=responses_of(202, AcceptedResponse, *READ, 409, 507),
)
async def cancel_ingestion(core: CoreOf, temporal: TemporalOf, workflow_id: str) -> Response:
    """Cancel an ingestion: the documents that it added are removed; those that it changed stay."""
    library_id = await steering.cancel(temporal, core.store.instance_id, workflow_id)
    position = core.catalog.position
    if library_id is not None:
        with suppress(NotFound):  # the library is gone, so nothing is written to it
            position = await run_in_threadpool(core.ingestions.cancel, library_id, workflow_id)
    return accepted_response(workflow_id, position)


@router.post(
    "/ingest/{workflow_id}/pause",
    writes=False,
    status_code=status.HTTP_202_ACCEPTED,
    responses=responses_of(202, AcceptedResponse, *READ, 409),
)
async def pause_ingestion(core: CoreOf, temporal: TemporalOf, workflow_id: str) -> Response:
    """Pause an ingestion, within about a second; files that are being ingested end first."""
    await steering.send_signal(temporal, core.store.instance_id, workflow_id, PAUSE_SIGNAL)
    return accepted_response(workflow_id, core.catalog.position)


@router.post(
    "/ingest/{workflow_id}/resume",
    writes=False,
    status_code=status.HTTP_202_ACCEPTED,
    responses=responses_of(202, AcceptedResponse, *READ, 409),
)
async def resume_ingestion(core: CoreOf, temporal: TemporalOf, workflow_id: str) -> Response:
    await steering.send_signal(temporal, core.store.instance_id, workflow_id, RESUME_SIGNAL)
    return accepted_response(workflow_id, core.catalog.position)


@router.get(
    "/uploads/{sha256}",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file.",
            "content": {"application/octet-stream": {"schema": {"format": "binary"}}},
        },
        **responses_of(404, None, *READ),
    },
)
def get_upload(core: CoreOf, sha256: str) -> Response:
    """Return an uploaded file, or the manifest of an ingestion, by the hash of its content."""
    size = core.uploads.size_bytes(sha256)
    return StreamingResponse(
        core.uploads.read(sha256),
        media_type="application/octet-stream",
        headers={"Content-Length": str(size)},
    )
