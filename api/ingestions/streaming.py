"""Streaming of an ingestion's events as they occur."""

import asyncio
from collections.abc import AsyncIterator

from api.http.event_streams import HEARTBEAT, Silence
from api.ingestions.events import (
    files_before,
    last_event,
    outcome_events,
    progress_event,
    progress_of,
)
from api.ingestions.states import state_and_outcomes, wait_until_closed
from api.temporal import Temporal
from api.wire.ingestions import IngestionProgressEvent
from core.domain.errors import NotFound, Unavailable

POLL_S = 0.5
MOST_MISSED = 20
"""Polls for outcomes that no worker answers, after which a closed ingestion's stream ends."""


async def stream(
    temporal: Temporal, instance_id: str, workflow_id: str, after: int
) -> AsyncIterator[bytes]:
    """Yield the events with numbers above `after`, up to the last event.

    If Temporal becomes unreachable, the stream ends without its last event; the client resumes
    after its last number.
    """
    closing = asyncio.create_task(wait_until_closed(temporal, workflow_id))
    try:
        async for event in _events(temporal, instance_id, workflow_id, after, closing):
            yield event
    finally:
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)


async def _events(
    temporal: Temporal,
    instance_id: str,
    workflow_id: str,
    after: int,
    closing: "asyncio.Task[None]",
) -> AsyncIterator[bytes]:
    files = files_before(after)
    shown: IngestionProgressEvent | None = None
    missed = 0
    silence = Silence()
    while True:
        try:
            state, outcomes = await state_and_outcomes(temporal, instance_id, workflow_id, files)
        except (NotFound, Unavailable):
            return
        for event in outcome_events(outcomes, files):
            yield event.encode()
        files += len(outcomes)
        if (progress := progress_of(state)) != shown:
            shown = progress
            if numbered := progress_event(progress, files, after):
                after = numbered.number
                silence.end()
                yield numbered.encode()
        missed = 0 if outcomes or state.files.ended <= files else missed + 1
        is_told = not outcomes and (missed == 0 or missed > MOST_MISSED)
        if is_told and (last := last_event(state)) is not None:
            yield last.encode()
            return
        if silence.is_long:
            silence.end()
            yield HEARTBEAT
        if not outcomes:
            await _sleep(closing)


async def _sleep(closing: "asyncio.Task[None]") -> None:
    """Sleep for `POLL_S`, or until the ingestion closes."""
    if closing.done():
        await asyncio.sleep(POLL_S)
    else:
        await asyncio.wait([closing], timeout=POLL_S)
