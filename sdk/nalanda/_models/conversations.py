"""Models of conversations."""

from datetime import datetime

from nalanda._models.base import Model
from nalanda._models.questions import QueryStatus


class Turn(Model):
    """A question of a conversation; long texts are cut off.

    `condensed_query` was searched for in the place of a follow-up; `None` if the question stood on
    its own. `reason` says why a completed question has no answer.
    """

    workflow_id: str
    query: str
    condensed_query: str | None = None
    status: QueryStatus
    answer: str | None = None
    reason: str | None = None
    asked_at: datetime
    ended_at: datetime | None = None


class Conversation(Model):
    """A conversation with its turns, in order; `library` is the id of the only library, if any."""

    id: str
    library: str | None = None
    created_at: datetime
    turns: list[Turn] = []
