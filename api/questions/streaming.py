"""Streaming of a question's events as they occur."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

from api.http.event_streams import HEARTBEAT, HEARTBEAT_S, LAST, Event, Silence
from api.questions.events import events
from api.questions.history import HistoryChanges
from api.questions.ownership import Ownership
from api.questions.reading import read_question
from api.questions.tokens import AFTER, FIRST, TokenLog
from api.temporal import Temporal
from api.wire.questions import QuestionResponse
from core.contracts.query import EVENT_IDS, Stage
from core.domain.errors import NotFound, Unavailable
from core.ports.archive import QuestionArchive

UNTOLD_S = 1.0
"""The time until a state is read again that no worker has answered for."""

_ANSWER_BEGUN = EVENT_IDS[Stage.ANSWER] + 1


class EventStreams:
    """The streams of a process, over Temporal, the archive and the tokens that workers send."""

    def __init__(
        self, temporal: Temporal, ownership: Ownership, archive: QuestionArchive, tokens: TokenLog
    ) -> None:
        self._temporal = temporal
        self._ownership = ownership
        self._archive = archive
        self._tokens = tokens

    async def stream(self, question: QuestionResponse, after: int) -> AsyncIterator[bytes]:
        """Yield the events with numbers above `after`, from the given state to the last event.

        An idle stream carries comments, which keep the connection open and reveal a broken one. If
        Temporal becomes unreachable, the stream ends without its last event; the client resumes
        after its last number.
        """
        workflow_id, silence = question.workflow_id, Silence()
        with self._tokens.reader(workflow_id) as tokens_came:
            async with HistoryChanges(self._temporal, workflow_id) as changes:
                while True:
                    for event in self._events(question, after):
                        after = event.number
                        silence.end()
                        yield event.encode()
                    if after >= LAST:
                        return
                    timeout_s = HEARTBEAT_S if question.stages else UNTOLD_S
                    try:
                        if await changes.wait(timeout_s, tokens_came) or not question.stages:
                            question = await self._read(workflow_id)
                    except (NotFound, Unavailable):  # it was deleted, or Temporal is away
                        return
                    tokens_came.clear()
                    if silence.is_long:
                        silence.end()
                        yield HEARTBEAT

    def _events(self, question: QuestionResponse, after: int) -> Iterator[Event]:
        """Yield the events so far with numbers above `after`.

        Tokens come between the events of the stage `answer`; the later events of a client that has
        seen a token have higher numbers than all tokens.
        """
        known = list(events(question))
        for event in known:
            if after < event.number <= _ANSWER_BEGUN:
                after = event.number
                yield event
        if after == _ANSWER_BEGUN or FIRST <= after < AFTER:
            for event in self._tokens.events(question.workflow_id, after):
                after = event.number
                yield event
        for event in known:
            if event.number > _ANSWER_BEGUN:
                number = event.number if after < FIRST else min(event.number + AFTER, LAST)
                if number > after:
                    after = number
                    yield replace(event, number=number)

    async def _read(self, workflow_id: str) -> QuestionResponse:
        return await read_question(self._temporal, self._ownership, self._archive, workflow_id)
