"""Streams of events, resumed where they were interrupted."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

from nalanda._async.transport import Transport
from nalanda._errors import NalandaError, TimedOut
from nalanda._events import LAST_EVENTS, EventBlock, events_after
from nalanda._models.questions import QueryEvent
from nalanda._requests import delay_s

MAX_RECONNECTS = 7


async def follow_events(
    transport: Transport, path: str, last_event_id: int | None
) -> AsyncIterator[QueryEvent]:
    """Yield the events at a path after `last_event_id` as they occur, up to the last one.

    Raises:
        ConnectionFailed, TimedOut, UnavailableError: the stream can't be resumed.
    """
    seen, attempt = last_event_id, 0
    while True:
        broken: NalandaError = TimedOut(f"The stream {path} broke off.")
        try:
            async with transport.stream(events_after(path, seen)) as response:
                if response.status_code == HTTPStatus.NO_CONTENT:
                    return
                block = EventBlock()
                async for line in response.aiter_lines():
                    event = block.take(line)
                    if event is not None:
                        yield event
                        seen, attempt = event.id, 0
                        if event.event in LAST_EVENTS:
                            return
        except NalandaError as error:
            broken = error
        pause_s = delay_s(broken, attempt)
        if pause_s is None or attempt == MAX_RECONNECTS:
            raise broken
        await asyncio.sleep(pause_s)
        attempt += 1
