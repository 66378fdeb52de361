"""Routes of `/query`: ask, follow, cancel, give feedback. All are coroutines that wait for
Temporal.
"""

import asyncio
import base64
from typing import Annotated

from fastapi import Header, Query, Request, Response, status
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from temporalio.client import WorkflowFailureError

from api.http.bodies.json import JsonBody, parse
from api.http.cursors import CursorParameter, Cursors, Limit
from api.http.dependencies import CoreOf, SettingsOf, TemporalOf
from api.http.event_streams import LAST, events_response, number_of
from api.http.idempotency import REPLAYED, IdempotencyKey, IdempotentRequestOf, fingerprint
from api.http.openapi import BODY, READ, responses_of
from api.http.parameters import DECIMAL, Instant
from api.http.responses import accepted_response, json_response
from api.http.routing import Routes
from api.questions import listing, states, steering
from api.questions.ownership import OwnershipOf
from api.questions.starting import start
from api.questions.streaming import stream
from api.temporal import Temporal
from api.wire.events import QUESTION_EVENTS
from api.wire.questions import (
    MAX_WAIT_S,
    AcceptedResponse,
    AnswerResponse,
    FeedbackRequest,
    HandleResponse,
    QuestionPage,
    QuestionRequest,
    QuestionResponse,
)
from api.workflow_starts import StartedWorkflow, handle_response
from core.bootstrap import Core
from core.contracts.names import task_queue_of
from core.contracts.query import QueryRequest, QueryResult, QueryStatus
from core.domain import filters
from core.domain.errors import Conflict, Invalid

router = Routes("questions", "/query", of_writer=True)


@router.post(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    body=QuestionRequest,
    writes=False,
    responses=responses_of(202, HandleResponse, *BODY) | responses_of(200, AnswerResponse),
)
async def ask(
    request: Request,
    core: CoreOf,
    settings: SettingsOf,
    temporal: TemporalOf,
    ownership: OwnershipOf,
    body: JsonBody,
    idempotency_key: IdempotencyKey = None,
    wait_s: Annotated[
        float | None,
        Query(
            gt=0,
            le=MAX_WAIT_S,
            description="Wait this long, and return the result if it is there in time.",
        ),
        DECIMAL,
    ] = None,
) -> Response:
    question = _pin_question(core, parse(QuestionRequest, body))
    started = await start(
        temporal,
        ownership,
        task_queue_of(ownership.instance_id, settings.task_queue),
        question,
        key=idempotency_key,
        fingerprint=fingerprint(request, body),
    )
    handle = handle_response(request, settings, "query", started)
    headers = {"Location": handle.status_url} | ({REPLAYED: "true"} if started.again else {})
    position = question.min_position
    if wait_s is not None and (result := await _wait_for_result(temporal, started, wait_s)):
        response = AnswerResponse(**handle.model_dump(), **dict(result))
        return json_response(response.model_dump(), position=position, headers=headers)
    return json_response(
        handle.model_dump(), status.HTTP_202_ACCEPTED, position=position, headers=headers
    )


def _pin_question(core: Core, body: QuestionRequest) -> QueryRequest:
    """Build the workflow's request, pinned to the current position and the library's model.

    Raises:
        NotFound: there is no such library.
        Invalid: the request or the library does not allow the question.
    """
    if body.review:
        raise Invalid.at(
            "/review", "Reviews are not available in this release: leave `review` out."
        )
    state = core.catalog.state
    view = state.library(body.library)
    if body.filter is not None:
        filters.parse(body.filter, view.library.metadata_schema, "/filter")
    model = view.library.embedding_model
    if body.mode == "lexical":
        model = None
    elif model is None and view.vectors:
        detail = (
            "The library has client-supplied vectors and no embedding model, so the server cannot"
        )
        raise Invalid.at("/library", f"{detail} embed the question: use the mode lexical.")
    else:
        model = model or core.default_model
    return QueryRequest(
        library_id=view.library.id,
        embedding_model=model,
        min_position=state.position,
        instance_id=core.store.instance_id,
        **body.model_dump(exclude={"library", "review"}),
    )


async def _wait_for_result(
    temporal: Temporal, started: StartedWorkflow, wait_s: float
) -> QueryResult | None:
    """Return the result if it is there in time; `None` also if the question failed."""
    async with temporal.calls(wait_s + 1) as client:
        handle = client.get_workflow_handle(
            started.workflow_id, run_id=started.run_id, result_type=QueryResult
        )
        try:
            async with asyncio.timeout(wait_s):
                result: QueryResult = await handle.result(follow_runs=False)
        except (TimeoutError, WorkflowFailureError):
            return None
    return result


@router.get("", responses=responses_of(200, QuestionPage, *READ))
async def list_questions(
    request: Request,
    core: CoreOf,
    temporal: TemporalOf,
    ownership: OwnershipOf,
    limit: Limit = 100,
    cursor: CursorParameter = None,
    library: Annotated[str | None, Query(description="Id or name of a library.")] = None,
    status: QueryStatus | None = None,
    since: Annotated[
        Instant | None, Query(description="Questions asked at this time or later.")
    ] = None,
    until: Annotated[Instant | None, Query(description="Questions asked before this time.")] = None,
) -> Response:
    """List recent questions, newest first."""
    cursors = Cursors.of(core.store.cursor_key, request)
    after = cursors.take(cursor)
    state = core.catalog.state
    query = listing.visibility_query(
        ownership,
        library_id=state.library(library).library.id if library is not None else None,
        status=status,
        since=since,
        until=until,
    )
    items, token = await listing.page(
        temporal, query, limit=limit, token=base64.b64decode(after) if after else None
    )
    following = cursors.give(base64.b64encode(token).decode()) if token else None
    content = {"items": [item.model_dump() for item in items], "next_cursor": following}
    return json_response(content, position=state.position)


@router.get("/{workflow_id}", responses=responses_of(200, QuestionResponse, *READ))
async def get_question(
    core: CoreOf, temporal: TemporalOf, ownership: OwnershipOf, workflow_id: str
) -> Response:
    question = await states.read_state(temporal, ownership, workflow_id)
    later = await run_in_threadpool(core.feedback.of, workflow_id)
    feedback = [*question.feedback, *later.value]
    updated = question.model_copy(update={"feedback": feedback})
    return json_response(updated.model_dump(), position=later.position)


@router.get(
    "/{workflow_id}/events",
    response_class=StreamingResponse,
    events=QUESTION_EVENTS,
    responses={
        204: {"description": "The client has seen the last event and need not reconnect."},
        **responses_of(404, None, *READ),
    },
)
async def get_question_events(
    temporal: TemporalOf,
    ownership: OwnershipOf,
    workflow_id: str,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", description="Resume after this event.")
    ] = None,
) -> Response:
    """Stream the events `stage`, `hits`, `citation`, and `result` or `error`, as they occur."""
    question = await states.read_state(temporal, ownership, workflow_id)
    after = number_of(last_event_id)
    if after >= LAST:
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    return events_response(stream(temporal, ownership, question, after))


@router.post(
    "/{workflow_id}/cancel",
    writes=False,
    status_code=status.HTTP_202_ACCEPTED,
    responses=responses_of(202, AcceptedResponse, *READ, 409),
)
async def cancel_question(
    core: CoreOf, temporal: TemporalOf, ownership: OwnershipOf, workflow_id: str
) -> Response:
    """Cancel a question. Its status is `cancelled` once the running stage has stopped."""
    await steering.cancel(temporal, ownership, workflow_id)
    return accepted_response(workflow_id, core.catalog.position)


@router.post(
    "/{workflow_id}/feedback",
    status_code=status.HTTP_202_ACCEPTED,
    body=FeedbackRequest,
    responses=responses_of(202, AcceptedResponse, *BODY),
)
async def give_feedback(
    temporal: TemporalOf, ownership: OwnershipOf, workflow_id: str, once: IdempotentRequestOf
) -> Response:
    """Give feedback on an answer. A running workflow stores it; the API does once the workflow has
    closed.
    """
    core, feedback = once.core, parse(FeedbackRequest, once.body).feedback()
    try:
        await steering.give_feedback(temporal, ownership, workflow_id, feedback, call=once.call)
    except Conflict:
        return await run_in_threadpool(
            once.respond,
            lambda before_commit: core.feedback.add(
                workflow_id, feedback, before_commit=before_commit
            ),
            lambda at: accepted_response(workflow_id, at.position),
        )
    return accepted_response(workflow_id, core.catalog.position)
