"""The workflow of a conversation: one question at a time, each a child workflow of its own."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
)
from temporalio.workflow import ChildWorkflowHandle, ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from core.contracts.conversation import (
        CONTEXT_TURNS,
        MAX_ANSWER_CHARS,
        MAX_QUERY_CHARS,
        MAX_TURNS,
        TURNS_PER_RUN,
        Conversation,
        ConversationState,
        StartedTurn,
        Turn,
        TurnRequest,
    )
    from core.contracts.names import (
        ASK_UPDATE,
        CONVERSATION_QUERY,
        CONVERSATION_WORKFLOW,
        DEADLINE_EXCEEDED,
        QUERY_WORKFLOW,
        TURN_RUNS,
        WRONG_LIBRARY,
    )
    from core.contracts.query import QueryResult, QueryStatus, Stage
    from workflows.search_attributes import initial_attributes


@workflow.defn(name=CONVERSATION_WORKFLOW)
class ConversationWorkflow:
    """A workflow that lives as long as its conversation, and keeps the turns.

    It continues as new after `TURNS_PER_RUN` turns, and ends after `idle_s` without one. A question
    outlives the conversation that it was asked in.
    """

    @workflow.init
    def __init__(self, state: ConversationState) -> None:
        self._state = state
        self._created_at = state.created_at or workflow.info().workflow_start_time
        self._turns = list(state.turns)
        # The turn that is being started or runs, and its workflow once that has started.
        self._running_id: str | None = None
        self._question: ChildWorkflowHandle[Any, QueryResult] | None = None

    @workflow.run
    async def run(self, state: ConversationState) -> None:
        """Take turns until none has come for `idle_s`."""
        ended = 0
        while ended < TURNS_PER_RUN and not workflow.info().is_continue_as_new_suggested():
            try:
                await workflow.wait_condition(
                    lambda: self._running_id is not None,
                    timeout=timedelta(seconds=state.idle_s),
                    timeout_summary="idle",
                )
            except TimeoutError:
                return
            await workflow.wait_condition(
                lambda: self._question is not None or self._running_id is None
            )
            if self._question is not None:
                await self._end_turn(self._question)
                ended += 1
        workflow.continue_as_new(
            state.model_copy(update={"created_at": self._created_at, "turns": self._turns})
        )

    @workflow.query(name=CONVERSATION_QUERY)
    def conversation(self) -> Conversation:
        """Return the turns, in order."""
        return Conversation(
            library_id=self._state.library_id, created_at=self._created_at, turns=self._turns
        )

    @workflow.update(name=ASK_UPDATE)
    async def ask(self, request: TurnRequest) -> StartedTurn:
        """Start a question as the next turn; one that was started before is no other turn."""
        if self._is_known(request):
            return StartedTurn()
        self._running_id, asked_at = request.workflow_id, workflow.now()
        try:
            question = await self._start(request)
        except WorkflowAlreadyStartedError:
            self._running_id = None
            return StartedTurn()
        query = request.question.query[:MAX_QUERY_CHARS]
        turn = Turn(workflow_id=request.workflow_id, query=query, asked_at=asked_at)
        self._turns = [*self._turns[1 - MAX_TURNS :], turn]
        self._question = question
        return StartedTurn(run_id=question.first_execution_run_id)

    @ask.validator
    def _check_turn(self, request: TurnRequest) -> None:
        """Check that no other turn runs, and that the question is to the conversation's library.

        Raises:
            ApplicationError: of type `TurnRuns` or `WrongLibrary`.
        """
        if self._state.library_id not in (None, request.question.library_id):
            detail = f"This conversation is about the library {self._state.library_id} only."
            raise ApplicationError(detail, type=WRONG_LIBRARY, non_retryable=True)
        if self._running_id is not None and not self._is_known(request):
            raise ApplicationError(
                f"The turn {self._running_id} of this conversation is still running.",
                self._running_id,
                type=TURN_RUNS,
                non_retryable=True,
            )

    def _is_known(self, request: TurnRequest) -> bool:
        return any(turn.workflow_id == request.workflow_id for turn in self._turns)

    async def _start(self, request: TurnRequest) -> ChildWorkflowHandle[Any, QueryResult]:
        """Start the question, with the last turns for its condensing.

        Raises:
            WorkflowAlreadyStartedError: there is a question with this id.
        """
        turns = [turn.earlier for turn in self._turns[-CONTEXT_TURNS:]]
        question = request.question.model_copy(update={"turns": turns})
        return await workflow.start_child_workflow(
            QUERY_WORKFLOW,
            question,
            id=request.workflow_id,
            result_type=QueryResult,
            task_timeout=workflow.info().task_timeout,
            parent_close_policy=ParentClosePolicy.ABANDON,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            static_summary=request.summary,
            memo=request.memo,
            search_attributes=initial_attributes(question.library_id, stage=Stage.PREPROCESS),
        )

    async def _end_turn(self, question: ChildWorkflowHandle[Any, QueryResult]) -> None:
        """Wait for the end of the last turn, and note its outcome."""
        outcome: dict[str, Any]
        try:
            # A cancelled conversation ends, and its question goes on.
            result = await asyncio.shield(question)
        except ChildWorkflowError as error:
            outcome = {"status": _status_of(error)}
        else:
            outcome = {
                "status": "completed",
                "condensed_query": _cut(result.condensed_query, MAX_QUERY_CHARS),
                "answer": _cut(result.answer, MAX_ANSWER_CHARS),
                "reason": result.reason,
            }
        outcome["ended_at"] = workflow.now()
        self._turns = [*self._turns[:-1], self._turns[-1].model_copy(update=outcome)]
        self._question = self._running_id = None


def _cut(text: str | None, chars: int) -> str | None:
    return None if text is None else text[:chars]


def _status_of(error: ChildWorkflowError) -> QueryStatus:
    """Return the status of a question without a result."""
    match error.cause:
        case CancelledError():
            return "cancelled"
        case ApplicationError(type=kind) if kind == DEADLINE_EXCEEDED:
            return "timed_out"
        case _:
            return "failed"
