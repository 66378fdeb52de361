"""An ingestion as a stream of server-sent events (HTML standard §9.2).

Event 2n is the outcome of the n-th file that ended, and event 2n + 1 the progress after it. So a
client can resume after its last number, in this process or in another one.
"""

from collections.abc import Iterator, Sequence

from api.http.event_streams import LAST, Event
from api.wire.ingestions import (
    IngestionErrorEvent,
    IngestionProgressEvent,
    IngestionResponse,
)
from core.contracts.ingest import FileOutcome


def files_before(number: int) -> int:
    """Return how many files' outcomes a client has seen whose last event has this number."""
    return number // 2


def outcome_events(outcomes: Sequence[FileOutcome], first: int) -> Iterator[Event]:
    """Yield the events of outcomes; `first` counts the outcomes before them."""
    for place, outcome in enumerate(outcomes, first + 1):
        yield Event(2 * place, "file", outcome.model_dump(mode="json"))


def progress_event(ingestion: IngestionResponse, files: int) -> Event:
    """Return the progress after this number of files."""
    progress = IngestionProgressEvent(
        status=ingestion.status, files=ingestion.files, chunks=ingestion.chunks
    )
    return Event(2 * files + 1, "progress", progress.model_dump(mode="json"))


def last_event(ingestion: IngestionResponse) -> Event | None:
    """Return the event that ends the stream, or `None` for an ingestion that has not closed."""
    match ingestion.status:
        case "running" | "paused":
            return None
        case "completed":
            return Event(LAST, "result", ingestion.model_dump(mode="json"))
    error = IngestionErrorEvent(status=ingestion.status, detail=ingestion.error)
    return Event(LAST, "error", error.model_dump(mode="json"))
