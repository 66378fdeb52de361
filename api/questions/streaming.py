"""Sends a question's events as they come to be."""

import asyncio
import time
from collections.abc import AsyncIterator

from api.questions.events import LAST, events
from api.questions.ownership import Ownership
from api.questions.states import state
from api.temporal import Temporal
from api.wire.questions import QuestionAnswer
from core.domain.errors import Unavailable

POLL_S = 0.15
HEARTBEAT_S = 15.0

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def stream(
    temporal: Temporal, ownership: Ownership, question: QuestionAnswer, after: int
) -> AsyncIterator[bytes]:
    """Events with numbers beyond `after`, from a first state on, until the last one.

    A comment goes out when there is nothing else, so that lines stay open and broken ones are
    noticed. If Temporal is lost the stream ends without its last event: the client comes back
    with the number it has.
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
