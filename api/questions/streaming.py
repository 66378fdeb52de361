"""Streaming of a question's events as they occur."""

import asyncio
import time
from collections.abc import AsyncIterator

from api.questions.events import LAST, events
from api.questions.ownership import Ownership
from api.questions.states import state
from api.temporal import Temporal
from api.wire.questions import QuestionResponse
from core.domain.errors import Unavailable

POLL_S = 0.15
HEARTBEAT_S = 15.0

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def stream(
    temporal: Temporal, ownership: Ownership, question: QuestionResponse, after: int
) -> AsyncIterator[bytes]:
    """Yield the events with numbers above `after`, from the given state to the last event.

    An idle stream carries comments, which keep the connection open and reveal a broken one. If
    Temporal becomes unreachable, the stream ends without its last event; the client resumes after
    its last number.
    """
    quiet_since = time.monotonic()
    while True:
        for event in events(question):
            if event.number > after:
                after = event.number
                quiet_since = time.monotonic()
                yield event.encoded()
        if after >= LAST:
            return
        if time.monotonic() - quiet_since > HEARTBEAT_S:
            quiet_since = time.monotonic()
            yield b": still there\n\n"
        await asyncio.sleep(POLL_S)
        try:
            question = await state(temporal, ownership, question.workflow_id)
        except Unavailable:
            return
