"""The answer of a question while its provider writes it."""

from contextlib import suppress
from threading import Thread

from nalanda import Nalanda, NalandaError, RetryEvent, TokenEvent


class Draft:
    """The pieces of the answer so far, which a thread reads from the question's events.

    A draft is a courtesy: if its stream breaks for good, it stays as it is, and the question's
    state has the answer.
    """

    def __init__(self, client: Nalanda, workflow_id: str) -> None:
        self.text = ""
        self._client = client
        self._workflow_id = workflow_id
        Thread(target=self._read, name="draft", daemon=True).start()

    def _read(self) -> None:
        with suppress(NalandaError):
            for event in self._client.queries.stream(self._workflow_id):
                if isinstance(event, TokenEvent):
                    self.text += event.data.text
                elif isinstance(event, RetryEvent):
                    self.text = ""
