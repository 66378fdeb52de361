"""Server-sent events (HTML standard §9.2), numbered so that a client resumes after its last one."""

import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson
from fastapi.responses import StreamingResponse

from api.http.openapi import EVENT_STREAM

LAST = 1_000_000
"""Number of the event that ends every stream."""
HEARTBEAT_S = 15.0
HEARTBEAT = b": still there\n\n"
"""Comment that keeps an idle connection open, and reveals a broken one."""

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_NUMBER = re.compile("[0-9]{1,7}")


@dataclass(frozen=True, slots=True)
class Event:
    number: int
    name: str
    content: object

    def encode(self) -> bytes:
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (
            self.number,
            self.name.encode(),
            orjson.dumps(self.content),
        )


class Silence:
    """The time since a stream's last event, after which a heartbeat is due."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def end(self) -> None:
        self._since = time.monotonic()

    @property
    def is_long(self) -> bool:
        return time.monotonic() - self._since > HEARTBEAT_S


def number_of(event_id: str | None) -> int:
    """Return the number of the last event that the client has seen; 0 for an unknown id."""
    return int(event_id) if event_id and _NUMBER.fullmatch(event_id) else 0


def events_response(events: AsyncIterator[bytes]) -> StreamingResponse:
    return StreamingResponse(events, headers=_HEADERS, media_type=EVENT_STREAM)
