"""Ingestion of documents one by one, as long as the server is available."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from activities.documents import ParsedFile, parse
from cli.connection import PATIENT, TIMEOUT_S, connect
from cli.ingestion.errors import IngestionEnded, UnusableFile
from cli.ingestion.failures import FailureLimit
from cli.ingestion.reading import Document, read
from cli.ingestion.report import Outcome, Report
from core.documents import errors
from nalanda import (
    ChunkOptions,
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
"""Timeout per MiB of a file: ten times the embedding time of a small machine."""

_OF_ANY_CHUNK = re.compile(r"/chunks/\d+/((?:embedding|metadata)(?:/.*)?)")
"""Pointer to a fault that a chunk has whatever its text: the library needs what no file has."""


class Sender:
    """A sender that parses one file after the other, and writes each as a document."""

    def __init__(self, library: Library, failures: FailureLimit, report: Report) -> None:
        self._library = library
        self._failures = failures
        self._report = report

    def send(self, client: Nalanda, path: Path) -> None:
        """Ingest a file, and report the outcome.

        Raises:
            NalandaError: the server or the library is unavailable.
            IngestionEnded: sending another file is pointless.
        """
        try:
            outcome, has_text = self._create_or_replace(client, read(path))
        except OSError as error:
            self._report.fail(path, str(error.strerror))
        except (UnusableFile, errors.UnusableFile) as error:
            self._report.fail(path, str(error))
        except PayloadTooLargeError as error:
            self._failures.report_success()
            self._report.fail_as_too_large(path, error)
        except ValidationError as error:
            self._report_refusal(path, error)
        except NalandaError as error:
            self._failures.report_failure(path, error)
        else:
            self._failures.report_success()
            self._report.count(outcome, path)
            if not has_text:
                self._report.note_no_text(path)

    def _create_or_replace(self, client: Nalanda, document: Document) -> tuple[Outcome, bool]:
        """Create or replace the document, unless the stored one has the file's content.

        Return the outcome, and whether the file has text, which is not known of an unchanged one.
        """
        known = _known_hash(client, self._library.id, document.id)
        if known == document.content_hash:
            return "unchanged", True
        parsed = parse(document.content, document.source)
        with connect_for(client, len(document.content)) as patient:
            _replace(patient, self._library.id, document, parsed)
        return "added" if known is None else "changed", bool(parsed.pieces)

    def _report_refusal(self, path: Path, error: ValidationError) -> None:
        self._failures.report_success()
        self._report.fail(path, str(error))
        if (reason := next(_refusals_of_any_chunk(error), None)) is not None:
            raise IngestionEnded(
                f"The library {self._library.name} accepts no files ({reason}) Choose another."
            )


@contextmanager
def connect_for(client: Nalanda, size_bytes: int) -> Iterator[Nalanda]:
    """Yield the client, or one with more time if files of this size may need it."""
    timeout_s = _TIMEOUT_S_PER_MIB * size_bytes / 2**20
    if timeout_s <= TIMEOUT_S:
        yield client
        return
    with connect(max_retries=PATIENT, timeout_s=timeout_s) as patient:
        yield patient


def metadata_of(document: Document) -> dict[str, str]:
    """Return the metadata of a file's document."""
    metadata = {HASH: document.content_hash}
    if document.mount != document.mount.parent:
        metadata[MOUNT] = document.mount.as_uri()
    return metadata


def _replace(client: Nalanda, library_id: str, document: Document, parsed: ParsedFile) -> None:
    client.documents.replace(
        library_id,
        document.id,
        title=parsed.title,
        source=document.source,
        metadata=metadata_of(document),
        chunks=[ChunkOptions(text=p.text, place=asdict(p.place)) for p in parsed.pieces],
    )


def _known_hash(client: Nalanda, library_id: str, document_id: str) -> str | None:
    """Return the stored document's hash: empty if it has none, `None` if there is no document."""
    try:
        document = client.documents.get(library_id, document_id)
    except NotFoundError:
        return None
    return str(document.metadata.get(HASH, ""))


def _refusals_of_any_chunk(error: ValidationError) -> Iterator[str]:
    """Yield the reasons why the library refuses every chunk of a file, none for another error."""
    for fault in error.errors:
        if match := _OF_ANY_CHUNK.fullmatch(fault.pointer):
            yield f"{match[1]}: {fault.detail}"
