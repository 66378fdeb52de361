"""Handling of failed requests: one fails its file, a series ends the run."""

from pathlib import Path

from cli.ingestion.errors import GO_ON, IngestionEnded
from cli.ingestion.report import Report
from nalanda import Nalanda, NalandaError

_MOST_FAILURES_IN_A_ROW = 20


class FailureLimit:
    """A count of consecutive failures, which ends the run at a limit.

    `probe` asks with few retries whether the server and the library are still available.
    """

    def __init__(self, probe: Nalanda, library_id: str, report: Report) -> None:
        self._probe = probe
        self._library_id = library_id
        self._report = report
        self._failures_in_a_row = 0

    def report_success(self) -> None:
        self._failures_in_a_row = 0

    def report_failure(self, path: Path, error: NalandaError) -> None:
        """Report the file, if the server and the library are available.

        Raises:
            NalandaError: the server or the library is unavailable.
            IngestionEnded: too many files in a row failed.
        """
        self._probe.libraries.get(self._library_id)
        self._report.fail(path, str(error))
        self._failures_in_a_row += 1
        if self._failures_in_a_row == _MOST_FAILURES_IN_A_ROW:
            number = _MOST_FAILURES_IN_A_ROW
            raise IngestionEnded(f"{number} files in a row failed, the last with: {error} {GO_ON}")
