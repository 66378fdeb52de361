"""Routes of `/query`: ask, follow, steer, review. All are coroutines that wait for Temporal."""

import asyncio
from typing import Annotated

from fastapi import Header, Query, Request, Response, status
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from temporalio.client import WorkflowFailureError

from api.conversations.asking import start_turn
from api.http.bodies.json import JsonBody, parse
from api.http.cursors import CursorParameter, Cursors, Limit
from api.http.dependencies import CoreOf, SettingsOf, TemporalOf
from api.http.event_streams import LAST, events_response, number_of
from api.http.idempotency import (
    IdempotencyKey,
    IdempotentDelete,
    IdempotentRequestOf,
    fingerprint,
    start_headers,
)
from api.http.openapi import BODY, READ, responses_of
from api.http.parameters import DECIMAL, Instant
from api.http.responses import accepted_response, json_response, no_content
from api.http.routing import Routes
from api.questions import listing, steering
from api.questions.archiving import closed_if_archived, read_content
from api.questions.comparing import compare, result_of
from api.questions.deleting import delete
from api.questions.ownership import OwnershipOf
from api.questions.reading import read_question
from api.questions.requests import check_adjustment, pin_question
from api.questions.rerunning import rerun_request
from api.questions.starting import prepare_start, start
from api.questions.streaming import EventStreams
from api.questions.tokens import TokensOf
from api.temporal import Temporal
from api.wire.events import QUESTION_EVENTS
from api.wire.questions import (
    MAX_WAIT_S,
    AcceptedResponse,
    AdjustmentRequest,
    AnswerResponse,
    DiffResponse,
    FeedbackRequest,
    HandleResponse,
    QuestionPage,
    QuestionRequest,
    QuestionResponse,
    RerunRequest,
    ReviewDecision,
    ReviewedResponse,
    TokensRequest,
    TokensResponse,
)
from api.workflow_starts import StartedWorkflow, handle_response
from core.contracts.names import task_queue_of
from core.contracts.query import QueryResult, QueryStatus
from core.domain.errors import Conflict, NotFound
from core.ports.archive import ArchiveFilter
from core.services.positioned import BeforeCommit, Positioned

router = Routes("questions", "/query", of_writer=True)


@router.post(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    body=QuestionRequest,
    writes=False,
    responses=responses_of(202, HandleResponse, *BODY, 409) | responses_of(200, AnswerResponse),
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
    question = pin_question(core, settings, parse(QuestionRequest, body))
    wanted = prepare_start(
        ownership, question, key=idempotency_key, fingerprint=fingerprint(request, body)
    )
    if question.conversation_id is not None:
        started = await start_turn(temporal, ownership, question.conversation_id, wanted)
    else:
        queue = task_queue_of(ownership.instance_id, settings.task_queue)
        started = await start(temporal, ownership, queue, wanted)
    handle = handle_response(request, settings, "query", started)
    headers = start_headers(handle.status_url, again=started.again)
    position = question.min_position
    if wait_s is not None and (result := await _wait_for_result(temporal, started, wait_s)):
        response = AnswerResponse(**handle.model_dump(), **dict(result))
        return json_response(response.model_dump(), position=position, headers=headers)
    return json_response(
        handle.model_dump(), status.HTTP_202_ACCEPTED, position=position, headers=headers
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
    """List the running questions, and then the closed ones, the last one first."""
    cursors = Cursors.of(core.store.cursor_key, request)
    after = cursors.take(cursor)
    state = core.catalog.state
    condition = ArchiveFilter(
        library_id=state.library(library).library.id if library is not None else None,
        status=status,
        since=since,
        until=until,
    )
    query = listing.visibility_query(ownership, condition)
    questions = listing.Listing(temporal, core.archive, query, condition)
    items, following = await questions.page(after, limit=limit)
    content = {
        "items": [item.model_dump() for item in items],
        "next_cursor": cursors.give(following),
    }
    return json_response(content, position=state.position)


@router.get("/{workflow_id}", responses=responses_of(200, QuestionResponse, *READ))
async def get_question(
    core: CoreOf, temporal: TemporalOf, ownership: OwnershipOf, workflow_id: str
) -> Response:
    question = await read_question(temporal, ownership, core.archive, workflow_id)
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
    core: CoreOf,
    temporal: TemporalOf,
    ownership: OwnershipOf,
    tokens: TokensOf,
    workflow_id: str,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", description="Resume after this event.")
    ] = None,
) -> Response:
    """Stream the events as they occur: `stage`, `hits`, `review`, `token`, `retry`, `citation`,
    and `result` or `error`.
    """
    question = await read_question(temporal, ownership, core.archive, workflow_id)
    after = number_of(last_event_id)
    if after >= LAST:
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    streams = EventStreams(temporal, ownership, core.archive, tokens)
    return events_response(streams.stream(question, after))


@router.post(
    "/{workflow_id}/tokens",
    writes=False,
    body=TokensRequest,
    responses=responses_of(200, TokensResponse, *BODY),
)
async def add_tokens(tokens: TokensOf, workflow_id: str, body: JsonBody) -> Response:
    """Take pieces of an answer from the worker whose provider is writing it."""
    sent = parse(TokensRequest, body)
    taken = tokens.add(workflow_id, sent.series, sent.before, sent.texts)
    return json_response(TokensResponse(taken=taken).model_dump())


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
    async with closed_if_archived(core.archive, workflow_id):
        await steering.cancel(temporal, ownership, workflow_id)
    return accepted_response(workflow_id, core.catalog.position)


@router.post(
    "/{workflow_id}/adjust",
    writes=False,
    status_code=status.HTTP_202_ACCEPTED,
    body=AdjustmentRequest,
    responses=responses_of(202, AcceptedResponse, *BODY, 409),
)
async def adjust_question(
    temporal: TemporalOf, ownership: OwnershipOf, workflow_id: str, once: IdempotentRequestOf
) -> Response:
    """Change parameters of a running question, before the stage that reads them has begun."""
    core, body = once.core, parse(AdjustmentRequest, once.body)
    async with closed_if_archived(core.archive, workflow_id):
        await steering.adjust(
            temporal,
            ownership,
            workflow_id,
            body.adjustment(),
            check=lambda library_id: check_adjustment(core, library_id, body),
            call=once.call,
        )
    return accepted_response(workflow_id, core.catalog.position)


@router.post(
    "/{workflow_id}/review",
    writes=False,
    body=ReviewDecision,
    responses=responses_of(200, ReviewedResponse, *BODY, 409),
)
async def review_question(
    temporal: TemporalOf, ownership: OwnershipOf, workflow_id: str, once: IdempotentRequestOf
) -> Response:
    """Decide about the hits of a question that waits for a review."""
    decided = parse(ReviewDecision, once.body).review()
    async with closed_if_archived(once.core.archive, workflow_id):
        left = await steering.review(temporal, ownership, workflow_id, decided, call=once.call)
    response = ReviewedResponse(workflow_id=workflow_id, **dict(left))
    return json_response(response.model_dump(), position=once.core.catalog.position)


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
        async with closed_if_archived(core.archive, workflow_id):
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


@router.post(
    "/{workflow_id}/rerun",
    writes=False,
    status_code=status.HTTP_202_ACCEPTED,
    body=RerunRequest,
    responses=responses_of(202, HandleResponse, *BODY, 409),
)
async def rerun_question(
    request: Request,
    settings: SettingsOf,
    temporal: TemporalOf,
    ownership: OwnershipOf,
    workflow_id: str,
    once: IdempotentRequestOf,
) -> Response:
    """Ask a finished question again from a stage on, as a question of its own."""
    core, body = once.core, parse(RerunRequest, once.body)
    content = await read_content(temporal, ownership, core.archive, workflow_id)
    again = await run_in_threadpool(rerun_request, core, workflow_id, content, body)
    wanted = prepare_start(
        ownership, again, key=once.key, fingerprint=fingerprint(request, once.body)
    )
    queue = task_queue_of(ownership.instance_id, settings.task_queue)
    started = await start(temporal, ownership, queue, wanted)
    handle = handle_response(request, settings, "query", started)
    headers = start_headers(handle.status_url, again=started.again)
    return json_response(
        handle.model_dump(),
        status.HTTP_202_ACCEPTED,
        position=again.min_position,
        headers=headers,
    )


@router.get("/{workflow_id}/diff/{other_id}", responses=responses_of(200, DiffResponse, *READ, 409))
async def diff_questions(
    core: CoreOf, temporal: TemporalOf, ownership: OwnershipOf, workflow_id: str, other_id: str
) -> Response:
    """Compare the results of two questions: what the other one has gained, lost and moved."""
    before, after = await asyncio.gather(
        read_question(temporal, ownership, core.archive, workflow_id),
        read_question(temporal, ownership, core.archive, other_id),
    )
    difference = compare(result_of(before), result_of(after))
    return json_response(difference.model_dump(), position=core.catalog.position)


@router.delete(
    "/{workflow_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses_of(204, None, *READ, 409, 507),
)
async def delete_question(
    temporal: TemporalOf, ownership: OwnershipOf, workflow_id: str, once: IdempotentDelete
) -> Response:
    """Delete a finished question: its history, its events, its archived state and its feedback."""
    core, missing = once.core, None
    try:
        await delete(temporal, ownership, core.archive, workflow_id)
    except NotFound as error:
        missing = error

    def delete_feedback(before_commit: BeforeCommit[None] | None) -> Positioned[None]:
        """Delete the feedback.

        Raises:
            NotFound: the question is gone, perhaps by the first request under the key.
        """
        if missing is not None:
            raise missing
        return core.feedback.delete(workflow_id, before_commit=before_commit)

    return await run_in_threadpool(
        once.respond, delete_feedback, lambda at: no_content(at.position)
    )
