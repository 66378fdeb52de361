"""An ingestion as a stream of server-sent events (HTML standard §9.2).

Event n · `ROOM` is the outcome of the n-th file that ended. The numbers up to the next file's are
those of the progress after it. So a client can resume after its last number, in this process or in
another one.
"""

from collections.abc import Iterator, Sequence

from api.http.event_streams import LAST, Event
from api.wire.ingestions import (
    IngestionErrorEvent,
    IngestionProgressEvent,
    IngestionResponse,
)
from core.contracts.ingest import FileOutcome

ROOM = 900
"""Numbers for each file and the progress after it; those of `MAX_FILES` files are below `LAST`."""


def files_before(number: int) -> int:
    """Return how many files' outcomes a client has seen whose last event has this number."""
    return number // ROOM


def outcome_events(outcomes: Sequence[FileOutcome], first: int) -> Iterator[Event]:
    """Yield the events of outcomes; `first` counts the outcomes before them."""
    for place, outcome in enumerate(outcomes, first + 1):
        yield Event(ROOM * place, "file", outcome.model_dump(mode="json"))


def progress_of(ingestion: IngestionResponse) -> IngestionProgressEvent:
    return IngestionProgressEvent(
        status=ingestion.status,
        files=ingestion.files,
        chunks=ingestion.chunks,
        waiting_for=ingestion.waiting_for,
        last_failure=ingestion.last_failure,
    )


def progress_event(progress: IngestionProgressEvent, files: int, after: int) -> Event | None:
    """Return the progress after this number of files, with the next number above `after`.

    Return `None` if the progress after these files has had all of its numbers.
    """
    number = max(after, ROOM * files) + 1
    if number >= ROOM * (files + 1):
        return None
    return Event(number, "progress", progress.model_dump(mode="json"))


def last_event(ingestion: IngestionResponse) -> Event | None:
    """Return the event that ends the stream, or `None` for an ingestion that has not closed."""
    match ingestion.status:
        case "running" | "paused":
            return None
        case "completed":
            return Event(LAST, "result", ingestion.model_dump(mode="json"))
    error = IngestionErrorEvent(status=ingestion.status, detail=ingestion.error)
    return Event(LAST, "error", error.model_dump(mode="json"))
