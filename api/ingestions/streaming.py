"""Streaming of an ingestion's events as they occur."""

import asyncio
import time
from collections.abc import AsyncIterator

from api.ingestions.events import files_before, last_event, outcome_events, progress_event
from api.ingestions.states import ingestion_state, outcomes_after
from api.questions.streaming import HEARTBEAT_S
from api.temporal import Temporal
from api.wire.ingestions import IngestionResponse
from core.contracts.ingest import FileOutcome
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
    files = files_before(after)
    missed = 0
    quiet_since = time.monotonic()
    while True:
        try:
            # The state comes first, so the outcomes are those of the state or later.
            state = await ingestion_state(temporal, instance_id, workflow_id)
            outcomes: list[FileOutcome] = []
            if _ended(state) > files:
                outcomes = await outcomes_after(temporal, instance_id, workflow_id, files)
        except (NotFound, Unavailable):
            return
        for event in outcome_events(outcomes, files):
            yield event.encoded()
        files += len(outcomes)
        progress = progress_event(state, files)
        if progress.number > after:
            after, quiet_since = progress.number, time.monotonic()
            yield progress.encoded()
        missed = 0 if outcomes or _ended(state) <= files else missed + 1
        is_told = not outcomes and (missed == 0 or missed > MOST_MISSED)
        if is_told and (last := last_event(state)) is not None:
            yield last.encoded()
            return
        if time.monotonic() - quiet_since > HEARTBEAT_S:
            quiet_since = time.monotonic()
            yield b": still there\n\n"
        if not outcomes:
            await asyncio.sleep(POLL_S)


def _ended(state: IngestionResponse) -> int:
    """Return the number of files that have an outcome."""
    files = state.files
    return files.added + files.changed + files.unchanged + files.failed
