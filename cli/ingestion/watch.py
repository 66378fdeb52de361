"""The watch of `nalanda ingest --watch`: scans of folders, and rounds that ingest their changes.

The folders are scanned, as a network drive has no events; see docs/decisions/0037-folders.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import NoReturn

import typer

from cli.ingestion.errors import TemporalUnreachable
from cli.ingestion.finding import Finder
from cli.ingestion.report import Report
from cli.ingestion.run import Run
from cli.output.failures import advice
from nalanda import ConnectionFailed, RateLimitedError, TimedOut, UnavailableError

INTERVAL_S = 1.0
SHARE = 0.1
"""Maximum share of the time that scans take, so that a large folder is scanned less often."""

RETRY_S = 5.0

_PASSING = (ConnectionFailed, RateLimitedError, TemporalUnreachable, TimedOut, UnavailableError)
"""Errors after which a later attempt may succeed, as after a restart of the server."""

Version = tuple[int, int, int] | None
"""The size and times of a file; `None` for one that can't be examined."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The files at one time, by real path, with their versions."""

    finder: Finder
    paths: Mapping[str, Path]
    versions: Mapping[str, Version]
    took_s: float


class FolderWatch:
    """A watch of files and folders, with a round whenever files have changed.

    A file is read once two scans have found the same version of it, and counts as gone once two
    scans have missed it, as editors write in several steps.
    """

    def __init__(
        self, run: Run, paths: Sequence[Path], report: Report, *, with_ignored: bool
    ) -> None:
        self._run = run
        self._paths = paths
        self._report = report
        self._with_ignored = with_ignored
        self._read: dict[str, Version] = {}
        """Versions of the files when they were read."""
        self._outage: str | None = None

    def follow(self, library: str) -> NoReturn:
        """Ingest all files, and then their changes, until an interruption.

        Raises:
            NalandaError: the server refuses, or the library is gone.
            IngestionEnded: an ingestion failed as a whole.
        """
        scan = self._scan()
        while not self._try_round(scan, scan.paths, (), prune=self._run.prune):
            pass
        for line in self._report.summary(library, with_pruned=self._run.prune):
            typer.echo(line)
        self._report.say("Watching for changes; Ctrl-C ends it.")
        while True:
            sleep(max(INTERVAL_S, scan.took_s / SHARE))
            last, scan = scan, self._scan(scan)
            settled = [real for real in scan.paths if self._has_settled(real, scan, last)]
            removals = self._read.keys() - scan.paths.keys() - last.paths.keys()
            if settled or removals:
                before = self._report.counts.copy()
                if self._try_round(
                    scan, settled, removals, prune=self._run.prune and bool(removals)
                ):
                    self._report.say_round(before)

    def _scan(self, last: Scan | None = None) -> Scan:
        """Scan the files, and report what the last scan has not remarked."""
        began_s = monotonic()
        finder = Finder(with_ignored=self._with_ignored)
        paths = {file.real: file.path for file in finder.find(self._paths)}
        versions = {real: _version(path) for real, path in paths.items()}
        self._report.take(finder, known=set(last.finder.remarks) if last else ())
        return Scan(finder, paths, versions, monotonic() - began_s)

    def _has_settled(self, real: str, scan: Scan, last: Scan) -> bool:
        """Return whether a file has changed since it was read, but not since the last scan."""
        version = scan.versions[real]
        is_same = real in last.versions and last.versions[real] == version
        was_read = real in self._read and self._read[real] == version
        return is_same and not was_read

    def _try_round(
        self, scan: Scan, changed: Iterable[str], removals: Iterable[str], *, prune: bool
    ) -> bool:
        """Ingest the changed files, or wait after an error that passes; return whether it is done.

        Raises:
            NalandaError: the server refuses, or the library is gone.
            IngestionEnded: an ingestion failed as a whole.
        """
        versions = {real: scan.versions[real] for real in changed}
        try:
            self._run.ingest(scan.finder, [scan.paths[real] for real in versions], prune=prune)
        except _PASSING as error:
            self._say_outage(f"{advice(error) or error} Trying again meanwhile.")
            sleep(RETRY_S)
            return False
        self._outage = None
        self._read |= versions
        for real in removals:
            del self._read[real]
        return True

    def _say_outage(self, line: str) -> None:
        if line != self._outage:
            self._report.say(line)
        self._outage = line


def _version(path: Path) -> Version:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
