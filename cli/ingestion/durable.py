"""Ingestion of files by workflows, which go on if this process ends."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.connection import connect_for
from cli.ingestion.errors import GO_ON, IngestionEnded, UnusableFile
from cli.ingestion.reading import Document, read
from cli.ingestion.report import Outcome, Report
from cli.ingestion.stored import StoredHashes
from cli.output.render import ingestion_obstacles
from core.contracts.limits import MAX_SOURCE_BYTES
from nalanda import (
    ConnectionFailed,
    IngestItemOptions,
    Library,
    Nalanda,
    PayloadTooLargeError,
    QueryEvent,
    TimedOut,
    UnavailableError,
)

FILES_AT_ONCE = 200
BYTES_AT_ONCE = 8 * 2**20
"""Limits of one ingestion, so that several run at once and a body stays within a server's limit. A
larger file is uploaded alone."""

_OUTCOMES: Mapping[str, Outcome] = {
    "added": "added",
    "changed": "changed",
    "unchanged": "unchanged",
}
_MOST_INTERRUPTIONS = 10
"""Interruptions of a stream in a row, each after some 15 s of attempts to resume it."""

Files = Sequence[tuple[Path, Document]]


@dataclass(frozen=True, slots=True)
class StartedIngestion:
    """An ingestion that the server runs, and its files by their sources."""

    workflow_id: str
    paths: Mapping[str, Path]


class DurableSender:
    """A sender of files in ingestions of some files each.

    All are started before the first is followed, so that an early end of this process, as of its
    terminal, costs no file that has been read.
    """

    def __init__(self, client: Nalanda, library: Library, report: Report) -> None:
        self._client = client
        self._library = library
        self._report = report
        self._running: list[StartedIngestion] = []
        self._obstacles: Sequence[str] = ()

    def send_all(self, paths: Sequence[Path]) -> None:
        """Ingest the files, and report the outcome of each.

        Raises:
            NalandaError: the server, Temporal or the library is unavailable.
            IngestionEnded: an ingestion failed as a whole.
        """
        stored = StoredHashes(self._client, self._library.id, files=len(paths))
        try:
            for files in _batches(self._changed(paths, stored)):
                self._start(files)
            while self._running:
                self._follow(self._running[0])
                del self._running[0]
        except BaseException:
            self._say_what_goes_on()
            raise

    def _changed(
        self, paths: Iterable[Path], stored: StoredHashes
    ) -> Iterator[tuple[Path, Document]]:
        """Yield the files whose documents are missing or have other content."""
        for path in paths:
            try:
                document = read(path)
            except OSError as error:
                self._report.fail(path, str(error.strerror))
                continue
            except UnusableFile as error:
                self._report.fail(path, str(error))
                continue
            if stored.get(document.id) == document.content_hash:
                self._report.count("unchanged", path)
            elif len(document.source) > MAX_SOURCE_BYTES:
                self._report.fail(
                    path,
                    f"has a path of {len(document.source)} bytes as a URI, and an ingestion takes "
                    f"{MAX_SOURCE_BYTES}; shorten it, or use --direct",
                )
            else:
                yield path, document

    def _start(self, files: Files) -> None:
        """Start an ingestion of the files, or of each half if they are too large together."""
        try:
            workflow_id = self._post(files)
        except PayloadTooLargeError as error:
            if len(files) == 1:
                ((path, _),) = files
                self._report.fail_as_too_large(path, error)
                return
            middle = len(files) // 2
            self._start(files[:middle])
            self._start(files[middle:])
        else:
            paths = {document.source: path for path, document in files}
            self._running.append(StartedIngestion(workflow_id, paths))

    def _post(self, files: Files) -> str:
        """Start the ingestion, and return its id; a large file goes without base64."""
        size_bytes = sum(len(document.content) for _, document in files)
        _, first = files[0]
        with connect_for(self._client, size_bytes) as client:
            if size_bytes > BYTES_AT_ONCE:
                handle = client.ingestions.start_upload(
                    self._library.id, {first.source: first.content}, metadata=first.metadata()
                )
            else:
                items = [_item(document) for _, document in files]
                handle = client.ingestions.start(self._library.id, items)
        return handle.workflow_id

    def _follow(self, ingestion: StartedIngestion) -> None:
        for event in self._events(ingestion.workflow_id):
            self._take(event, ingestion.paths)

    def _events(self, workflow_id: str) -> Iterator[QueryEvent]:
        """Yield the events; wait for a server that restarts, as the ingestion does.

        Raises:
            NalandaError: the server stays away.
        """
        seen: int | None = None
        interruptions = 0
        while True:
            try:
                for event in self._client.ingestions.events(workflow_id, last_event_id=seen):
                    yield event
                    seen, interruptions = event.id, 0
            except (ConnectionFailed, TimedOut, UnavailableError):
                interruptions += 1
                if interruptions == _MOST_INTERRUPTIONS:
                    raise
            else:
                return

    def _take(self, event: QueryEvent, paths: Mapping[str, Path]) -> None:
        if event.event == "error":
            del self._running[0]
            why = event.data.get("detail") or f"it was {event.data.get('status')}"
            raise IngestionEnded(f"The ingestion ended: {why} {GO_ON}")
        if event.event == "progress":
            self._say_obstacles(event.data)
        if event.event != "file":
            return
        path = paths[event.data["source"]]
        outcome = _OUTCOMES.get(event.data["status"])
        if outcome is None:
            self._report.fail(path, str(event.data["detail"]))
            return
        self._report.count(outcome, path)
        if outcome != "unchanged" and not event.data["chunks"]:
            self._report.note_no_text(path)

    def _say_obstacles(self, progress: Mapping[str, Any]) -> None:
        """Say what hinders the ingestion, each thing once until it is over."""
        waiting_for, last_failure = progress.get("waiting_for"), progress.get("last_failure")
        obstacles = [line.plain for line in ingestion_obstacles(waiting_for, last_failure)]
        for line in obstacles:
            if line not in self._obstacles:
                self._report.say(line)
        self._obstacles = obstacles

    def _say_what_goes_on(self) -> None:
        ids = [ingestion.workflow_id for ingestion in self._running]
        if len(ids) == 1:
            self._report.say(
                f"The ingestion {ids[0]} goes on; `nalanda cancel {ids[0]}` stops it and deletes "
                "what it has added."
            )
        elif ids:
            self._report.say(
                f"{len(ids)} ingestions go on; `nalanda cancel {' '.join(ids)}` stops them and "
                "deletes what they have added."
            )


def _item(document: Document) -> IngestItemOptions:
    """Return the item of a file: as text if it is UTF-8, which is shorter than base64."""
    item = IngestItemOptions(source=document.source, metadata=document.metadata())
    try:
        return {**item, "text": document.content.decode()}
    except UnicodeDecodeError:
        return {**item, "content": document.content}


def _batches(files: Iterable[tuple[Path, Document]]) -> Iterator[Files]:
    batch: list[tuple[Path, Document]] = []
    size_bytes = 0
    for path, document in files:
        too_large = size_bytes + len(document.content) > BYTES_AT_ONCE
        if batch and (too_large or len(batch) == FILES_AT_ONCE):
            yield batch
            batch, size_bytes = [], 0
        batch.append((path, document))
        size_bytes += len(document.content)
    if batch:
        yield batch
