"""Routes of `/conversations`; a turn is asked by `POST /query` with a `conversation_id`."""

from datetime import timedelta

from fastapi import Request, Response, status

from api.conversations.deleting import delete
from api.conversations.starting import start_conversation
from api.conversations.states import read_conversation
from api.http.bodies.json import JsonBody, parse
from api.http.dependencies import CoreOf, SettingsOf, TemporalOf
from api.http.idempotency import IdempotencyKey, fingerprint, start_headers
from api.http.openapi import BODY, READ, responses_of
from api.http.responses import json_response, no_content
from api.http.routing import Routes
from api.wire.conversations import ConversationRequest, ConversationResponse
from core.contracts.conversation import ConversationState
from core.contracts.names import task_queue_of

router = Routes("conversations", "/conversations", of_writer=True)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    body=ConversationRequest,
    writes=False,
    responses=responses_of(201, ConversationResponse, *BODY, 409),
)
async def create_conversation(
    request: Request,
    core: CoreOf,
    settings: SettingsOf,
    temporal: TemporalOf,
    body: JsonBody,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Begin a conversation, whose questions name it as their `conversation_id`."""
    wanted, catalog = parse(ConversationRequest, body), core.catalog.state
    library_id = catalog.library(wanted.library).library.id if wanted.library is not None else None
    instance_id = core.store.instance_id
    idle = timedelta(days=settings.answer_retention_days)
    started = await start_conversation(
        temporal,
        instance_id,
        task_queue_of(instance_id, settings.task_queue),
        ConversationState(library_id=library_id, idle_s=idle.total_seconds()),
        key=idempotency_key,
        fingerprint=fingerprint(request, body),
    )
    conversation = ConversationResponse(
        id=started.id, library=library_id, created_at=started.created_at, turns=[]
    )
    location = f"{request.base_url}conversations/{started.id}"
    headers = start_headers(location, again=started.again)
    return json_response(
        conversation.model_dump(),
        status.HTTP_201_CREATED,
        position=catalog.position,
        headers=headers,
    )


@router.get("/{conversation_id}", responses=responses_of(200, ConversationResponse, *READ))
async def get_conversation(core: CoreOf, temporal: TemporalOf, conversation_id: str) -> Response:
    """Return a conversation with its turns, in order."""
    state = await read_conversation(temporal, core.store.instance_id, conversation_id)
    return json_response(state.model_dump(), position=core.catalog.position)


@router.delete(
    "/{conversation_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses_of(204, None, *READ),
)
async def delete_conversation(core: CoreOf, temporal: TemporalOf, conversation_id: str) -> Response:
    """End a conversation, and delete its turns; the questions stay."""
    await delete(temporal, core.store.instance_id, conversation_id)
    return no_content(core.catalog.position)
