"""Numbers of an ingestion's events."""

from api.http.event_streams import LAST
from api.ingestions.events import ROOM, files_before, outcome_events, progress_event
from api.wire.ingestions import IngestionProgressEvent
from core.contracts.ingest import FileCounts, FileOutcome
from core.contracts.limits import MAX_FILES

PROGRESS = IngestionProgressEvent(
    status="running", files=FileCounts(total=2), chunks=0, waiting_for=None, last_failure=None
)


def test_numbers_increase_and_name_the_files_that_were_seen() -> None:
    outcomes = [FileOutcome(source=name, status="added") for name in ("a.md", "b.md")]
    numbers = [event.number for event in outcome_events(outcomes, 0)]
    for number in numbers:
        files = files_before(number)
        first = progress_event(PROGRESS, files, 0)
        assert first is not None
        second = progress_event(PROGRESS, files, first.number)
        assert second is not None
        assert number < first.number < second.number
        assert files_before(second.number) == files
    assert [files_before(number) for number in numbers] == [1, 2]


def test_a_progress_has_a_bounded_number_of_events() -> None:
    assert progress_event(PROGRESS, 1, 2 * ROOM - 2) is not None
    assert progress_event(PROGRESS, 1, 2 * ROOM - 1) is None
    assert ROOM * (MAX_FILES + 1) <= LAST
