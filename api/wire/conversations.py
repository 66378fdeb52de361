"""Wire models of conversations."""

from datetime import datetime

from pydantic import ConfigDict, Field

from api.wire.base import RequestModel, ResponseModel
from core.contracts.conversation import Conversation, Turn


class ConversationRequest(RequestModel):
    """A conversation to begin; its questions may be to any library, or to `library` only."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"library": "papers"}]})

    library: str | None = Field(default=None, description="Id or name of the only library.")


class ConversationResponse(ResponseModel):
    """A conversation with its turns, in order; `library` is an id."""

    id: str
    library: str | None
    created_at: datetime
    turns: list[Turn]

    @classmethod
    def of(cls, conversation_id: str, conversation: Conversation) -> "ConversationResponse":
        return cls(
            id=conversation_id,
            library=conversation.library_id,
            created_at=conversation.created_at,
            turns=conversation.turns,
        )
