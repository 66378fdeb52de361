# Written by sdk/unasync.py from _async/conversations.py: change that one, then `make generate`.
"""`client.conversations`: questions that follow one another."""

from nalanda._models.conversations import Conversation
from nalanda._options import given_options
from nalanda._requests import Request, create_request, path_of
from nalanda._sync.transport import Transport


class Conversations:
    """Methods of conversations; a question is a turn if it has the `conversation_id` of one."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self, library: str | None = None, *, idempotency_key: str | None = None
    ) -> Conversation:
        """Begin a conversation; with a `library` it takes questions to that one only."""
        body = given_options({"library": library})
        request = create_request("/conversations", body, key=idempotency_key)
        return self._transport.fetch(Conversation, request)

    def get(self, conversation_id: str) -> Conversation:
        """Return the conversation with its turns, in order.

        Raises:
            NotFoundError: there is no such conversation, or it was deleted.
            UnavailableError: no worker answers, which alone knows the turns.
        """
        path = path_of("conversations", conversation_id)
        return self._transport.fetch(Conversation, Request("GET", path))

    def delete(self, conversation_id: str) -> None:
        """End the conversation and delete its turns; their questions stay.

        Raises:
            NotFoundError: there is no such conversation.
        """
        path = path_of("conversations", conversation_id)
        self._transport.send(Request("DELETE", path))
