"""Ingestion of documents one by one, as long as the server is available."""

from pathlib import Path

from cli.connection import PATIENT, TIMEOUT_S, connect
from cli.ingestion.errors import IngestionEnded, UnusableFile
from cli.ingestion.reading import Document, read
from cli.ingestion.report import Outcome, Report
from cli.ingestion.watching import Watch
from nalanda import (
    Library,
    Nalanda,
    NalandaError,
    NotFoundError,
    PayloadTooLargeError,
    ValidationError,
)

HASH = "content_sha256"
"""Metadata key of a document for the hash that identifies an unchanged file."""

MOUNT = "mount"
"""Metadata key for the mount point of the file's disk, as a URI; absent for the root."""

_TIMEOUT_S_PER_MIB = 10.0
"""Timeout per MiB of text: ten times the embedding time of a small machine."""


class Sender:
    def __init__(self, library: Library, watch: Watch, report: Report) -> None:
        self._library = library
        self._watch = watch
        self._report = report

    def send(self, client: Nalanda, path: Path) -> None:
        """Ingest a file, and report the outcome.

        Raises:
            NalandaError: the server or the library is unavailable.
            IngestionEnded: sending another file is pointless.
        """
        try:
            document = _read_text(path)
        except OSError as error:
            self._report.fail(path, str(error.strerror))
            return
        except UnusableFile as error:
            self._report.fail(path, str(error))
            return
        try:
            outcome = self._create_or_replace(client, document)
        except (PayloadTooLargeError, ValidationError) as error:
            self._report_refusal(path, error)
        except NalandaError as error:
            self._watch.report_failure(path, error)
        else:
            self._watch.report_success()
            self._report.count(outcome, path)
            if outcome != "unchanged" and not document.text.strip():
                self._report.note(path, "has no text, so no search will find it")

    def _create_or_replace(self, client: Nalanda, document: Document) -> Outcome:
        """Create or replace the document, unless the stored one has the file's content."""
        known = _known_hash(client, self._library.id, document.id)
        if known == document.content_hash:
            return "unchanged"
        timeout_s = _TIMEOUT_S_PER_MIB * document.size_bytes / 2**20
        if timeout_s <= TIMEOUT_S:
            _replace(client, self._library.id, document)
        else:
            with connect(max_retries=PATIENT, timeout_s=timeout_s) as patient:
                _replace(patient, self._library.id, document)
        return "added" if known is None else "changed"

    def _report_refusal(self, path: Path, error: PayloadTooLargeError | ValidationError) -> None:
        self._watch.report_success()
        self._report.fail(path, str(error))
        if (reason := _refusal_of_any_text(error)) is not None:
            raise IngestionEnded(
                f"The library {self._library.name} accepts no files ({reason}) Choose another."
            )


def _read_text(path: Path) -> Document:
    document = read(path)
    if document.binary is not None:
        raise UnusableFile("is no text, and such files need an ingestion: omit --direct")
    return document


def metadata_of(document: Document) -> dict[str, str]:
    """Return the metadata of a file's document."""
    metadata = {HASH: document.content_hash}
    if document.mount != document.mount.parent:
        metadata[MOUNT] = document.mount.as_uri()
    return metadata


def _replace(client: Nalanda, library_id: str, document: Document) -> None:
    client.documents.replace(
        library_id,
        document.id,
        source=document.source,
        metadata=metadata_of(document),
        text=document.text,
        media_type=document.media_type,
    )


def _known_hash(client: Nalanda, library_id: str, document_id: str) -> str | None:
    """Return the stored document's hash: empty if it has none, `None` if there is no document."""
    try:
        document = client.documents.get(library_id, document_id)
    except NotFoundError:
        return None
    return str(document.metadata.get(HASH, ""))


def _refusal_of_any_text(error: PayloadTooLargeError | ValidationError) -> str | None:
    """Return the reason why the library refuses every text, or `None` for another error.

    Such a library requires metadata or an embedding for each chunk, and a file's chunks have
    neither.
    """
    prefix = "As chunks: "
    reasons = (
        fault.detail.removeprefix(prefix)
        for fault in error.errors
        if fault.pointer == "/text" and fault.detail.startswith(prefix)
    )
    return next(reasons, None)
