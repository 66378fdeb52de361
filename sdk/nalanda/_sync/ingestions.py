# Written by sdk/unasync.py from _async/ingestions.py: change that one, then `make generate`.
"""`client.ingestions`: files that a workflow parses and writes into a library."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nalanda._models.ingestions import Ingestion, IngestionHandle
from nalanda._models.questions import QueryEvent
from nalanda._options import IngestItemOptions, Json, ingest_items, upload_parts
from nalanda._requests import Request, create_request, path_of
from nalanda._sync.polling import watch_states
from nalanda._sync.streams import follow_events
from nalanda._sync.transport import Transport

FIRST_POLL_S = 0.05


class Ingestions:
    """Methods of ingestions; an ingestion runs on even if its client ends."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def start(
        self,
        library: str,
        items: Iterable[IngestItemOptions],
        *,
        prune_under: str | None = None,
        idempotency_key: str | None = None,
    ) -> IngestionHandle:
        """Start an ingestion of up to 1000 files; `prune_under` deletes the documents below it.

        The same `source` with the same content changes nothing.
        """
        body: dict[str, Any] = {"items": ingest_items(items)}
        if prune_under is not None:
            body["prune_under"] = prune_under
        path = path_of("libraries", library, "ingest")
        request = create_request(path, body, key=idempotency_key)
        return self._transport.fetch(IngestionHandle, request)

    def start_upload(
        self,
        library: str,
        files: Mapping[str, bytes],
        *,
        prune_under: str | None = None,
        metadata: Json | None = None,
        idempotency_key: str | None = None,
    ) -> IngestionHandle:
        """Start an ingestion of up to 1000 files by source, each sent as it is.

        A large file takes a third less than in the base64 of `start`. `metadata` is that of every
        document.
        """
        path = path_of("libraries", library, "ingest")
        parts = upload_parts(files, prune_under=prune_under, metadata=metadata)
        request = create_request(path, None, key=idempotency_key, parts=parts)
        return self._transport.fetch(IngestionHandle, request)

    def get(self, workflow_id: str) -> Ingestion:
        return self._transport.fetch(Ingestion, Request("GET", path_of("ingest", workflow_id)))

    def cancel(self, workflow_id: str) -> None:
        """Request cancellation: documents that it added are removed, those it changed stay.

        Raises:
            ConflictError: the ingestion is already over.
        """
        self._post(workflow_id, "cancel")

    def pause(self, workflow_id: str) -> None:
        """Stop within about a second, after the files in flight, until `resume`."""
        self._post(workflow_id, "pause")

    def resume(self, workflow_id: str) -> None:
        self._post(workflow_id, "resume")

    def watch(self, workflow_id: str, *, timeout_s: float | None = None) -> Iterator[Ingestion]:
        """Yield the state now and after each change; the last one is closed.

        Raises:
            TimedOut: the ingestion was not over in time. It still runs.
        """
        return watch_states(
            lambda: self.get(workflow_id),
            f"The ingestion {workflow_id}",
            first_poll_s=FIRST_POLL_S,
            timeout_s=timeout_s,
        )

    def events(self, workflow_id: str, *, last_event_id: int | None = None) -> Iterator[QueryEvent]:
        """Yield the events `file`, `progress`, and `result` or `error`, as they occur.

        An interrupted stream is resumed where it ended.

        Raises:
            ConnectionFailed, TimedOut, UnavailableError: the stream can't be resumed.
        """
        path = path_of("ingest", workflow_id, "events")
        return follow_events(self._transport, path, last_event_id)

    def wait(self, workflow_id: str, *, timeout_s: float | None = None) -> Ingestion:
        """Wait for the end of the ingestion, and return its last state.

        Raises:
            TimedOut: the ingestion was not over in time. It still runs.
        """
        states = list(self.watch(workflow_id, timeout_s=timeout_s))
        return states[-1]

    def upload(self, sha256: str) -> bytes:
        """Return an uploaded file, which the server keeps while an ingestion refers to it."""
        response = self._transport.send(Request("GET", path_of("uploads", sha256)))
        return response.content

    def _post(self, workflow_id: str, what: str) -> None:
        self._transport.send(create_request(path_of("ingest", workflow_id, what), None))
