"""Streaming of a question's events as they occur."""

import asyncio
from collections.abc import AsyncIterator

from api.http.event_streams import HEARTBEAT, LAST, Silence
from api.questions.events import events
from api.questions.ownership import Ownership
from api.questions.states import read_state
from api.temporal import Temporal
from api.wire.questions import QuestionResponse
from core.domain.errors import Unavailable

POLL_S = 0.15


async def stream(
    temporal: Temporal, ownership: Ownership, question: QuestionResponse, after: int
) -> AsyncIterator[bytes]:
    """Yield the events with numbers above `after`, from the given state to the last event.

    An idle stream carries comments, which keep the connection open and reveal a broken one. If
    Temporal becomes unreachable, the stream ends without its last event; the client resumes after
    its last number.
    """
    silence = Silence()
    while True:
        for event in events(question):
            if event.number > after:
                after = event.number
                silence.end()
                yield event.encode()
        if after >= LAST:
            return
        if silence.is_long:
            silence.end()
            yield HEARTBEAT
        await asyncio.sleep(POLL_S)
        try:
            question = await read_state(temporal, ownership, question.workflow_id)
        except Unavailable:
            return
