# Written by sdk/unasync.py from _async/streams.py: change that one, then `make generate`.
"""Streams of events, resumed where they were interrupted."""

import time
from collections.abc import Iterator
from http import HTTPStatus

from nalanda._errors import NalandaError, TimedOut
from nalanda._events import LAST_EVENTS, EventBlock, events_after
from nalanda._models.questions import QueryEvent
from nalanda._requests import delay_s
from nalanda._sync.transport import Transport

MAX_RECONNECTS = 7


def follow_events(
    transport: Transport, path: str, last_event_id: int | None
) -> Iterator[QueryEvent]:
    """Yield the events at a path after `last_event_id` as they occur, up to the last one.

    Raises:
        ConnectionFailed, TimedOut, UnavailableError: the stream can't be resumed.
    """
    seen, attempt = last_event_id, 0
    while True:
        broken: NalandaError = TimedOut(f"The stream {path} broke off.")
        try:
            with transport.stream(events_after(path, seen)) as response:
                if response.status_code == HTTPStatus.NO_CONTENT:
                    return
                block = EventBlock()
                for line in response.iter_lines():
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
        time.sleep(pause_s)
        attempt += 1
