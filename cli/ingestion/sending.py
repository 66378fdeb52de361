"""Ingestion of documents one by one, as long as the server is available."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli.connection import connect_for
from cli.ingestion.errors import IngestionEnded, UnusableFile
from cli.ingestion.failures import FailureLimit
from cli.ingestion.reading import Document, read
from cli.ingestion.report import Outcome, Report
from cli.ingestion.stored import StoredHashes
from core.documents import errors
from nalanda import (
    ChunkOptions,
    Library,
    Nalanda,
    NalandaError,
    PayloadTooLargeError,
    ValidationError,
)

if TYPE_CHECKING:
    from activities.documents import ParsedFile

_OF_ANY_CHUNK = re.compile(r"/chunks/\d+/((?:embedding|metadata)(?:/.*)?)")
"""Pointer to a fault that a chunk has whatever its text: the library needs what no file has."""


class Sender:
    """A sender that parses one file after the other, and writes each as a document."""

    def __init__(
        self, client: Nalanda, library: Library, failures: FailureLimit, report: Report
    ) -> None:
        self._client = client
        self._library = library
        self._failures = failures
        self._report = report

    def send_all(self, paths: Sequence[Path]) -> None:
        """Ingest the files, and report the outcome of each.

        Raises:
            NalandaError: the server or the library is unavailable.
            IngestionEnded: sending another file is pointless.
        """
        stored = StoredHashes(self._client, self._library.id, files=len(paths))
        for path in paths:
            self._send(path, stored)

    def _send(self, path: Path, stored: StoredHashes) -> None:
        """Ingest a file, and report the outcome.

        Raises:
            NalandaError: the server or the library is unavailable.
            IngestionEnded: sending another file is pointless.
        """
        try:
            outcome, has_text = self._create_or_replace(read(path), stored)
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

    def _create_or_replace(self, document: Document, stored: StoredHashes) -> tuple[Outcome, bool]:
        """Create or replace the document, unless the stored one has the file's content.

        Return the outcome, and whether the file has text, which is not known of an unchanged one.
        """
        known = stored.get(document.id)
        if known == document.content_hash:
            return "unchanged", True
        from activities.documents import parse  # slow to import, and unchanged files need no parser

        parsed = parse(document.content, document.source)
        with connect_for(self._client, len(document.content)) as patient:
            _replace(patient, self._library.id, document, parsed)
        return "added" if known is None else "changed", bool(parsed.pieces)

    def _report_refusal(self, path: Path, error: ValidationError) -> None:
        self._failures.report_success()
        self._report.fail(path, str(error))
        if (reason := next(_refusals_of_any_chunk(error), None)) is not None:
            raise IngestionEnded(
                f"The library {self._library.name} accepts no files ({reason}) Choose another."
            )


def _replace(client: Nalanda, library_id: str, document: Document, parsed: "ParsedFile") -> None:
    client.documents.replace(
        library_id,
        document.id,
        title=parsed.title,
        source=document.source,
        metadata=document.metadata(),
        chunks=[ChunkOptions(text=p.text, place=p.place.present_fields()) for p in parsed.pieces],
    )


def _refusals_of_any_chunk(error: ValidationError) -> Iterator[str]:
    """Yield the reasons why the library refuses every chunk of a file, none for another error."""
    for fault in error.errors:
        if match := _OF_ANY_CHUNK.fullmatch(fault.pointer):
            yield f"{match[1]}: {fault.detail}"
