"""The messages of a conversation's workflow: its input, its update `ask`, and its turns."""

from datetime import datetime

from pydantic import Field

from core.contracts.base import Contract
from core.contracts.query import EarlierTurn, NoAnswer, QueryRequest, QueryStatus

MAX_TURNS = 100
"""The turns that a conversation keeps; older ones leave it, and stay as questions."""

TURNS_PER_RUN = 5
"""The turns after which the workflow continues as new, which bounds its history."""

CONTEXT_TURNS = 6
"""The last turns that a follow-up is condensed from."""

MAX_QUERY_CHARS = 1_000
MAX_ANSWER_CHARS = 500


class Turn(Contract):
    """A question of a conversation; long texts are cut off.

    `condensed_query`: what was searched for in the place of a follow-up; null if the question stood
    on its own. `reason`: why a completed one has no answer.
    """

    workflow_id: str
    query: str
    condensed_query: str | None = None
    status: QueryStatus = "running"
    answer: str | None = None
    reason: NoAnswer | None = None
    asked_at: datetime
    ended_at: datetime | None = None

    @property
    def earlier(self) -> EarlierTurn:
        """Return what a follow-up is condensed from."""
        return EarlierTurn(
            query=self.query, condensed_query=self.condensed_query, answer=self.answer
        )


class ConversationState(Contract):
    """The input of a conversation's workflow, and what a continued run begins with.

    `idle_s`: how long the conversation waits for its next turn before it ends. `created_at` is null
    in the first run, which began then.
    """

    library_id: str | None = None
    idle_s: float
    created_at: datetime | None = None
    turns: list[Turn] = Field(default_factory=list)


class Conversation(Contract):
    """The result of the query `conversation`: the turns, in order."""

    library_id: str | None = None
    created_at: datetime
    turns: list[Turn]


class TurnRequest(Contract):
    """The update `ask`: a question to start as the workflow `workflow_id`.

    `memo` and `summary` are those of the question's workflow.
    """

    workflow_id: str
    question: QueryRequest
    memo: dict[str, str]
    summary: str


class StartedTurn(Contract):
    """The result of the update `ask`; without a `run_id` the workflow was started before."""

    run_id: str | None = None
