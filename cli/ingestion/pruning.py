"""Deletion of documents whose files are gone."""

import os
import stat
from collections import Counter
from pathlib import Path

from cli.ingestion.failures import FailureLimit
from cli.ingestion.finding import Finder
from cli.ingestion.places import from_uri, path_of
from cli.ingestion.reading import MOUNT
from cli.ingestion.report import Report
from nalanda import Document, Nalanda, NalandaError, NotFoundError, PreconditionFailedError

_PAGE_SIZE = 1_000


class Pruner:
    """Deletion of documents that `ingest` made from files in the finder's folders.

    A file is gone only if its path does not exist. A file that cannot be examined stays, and so do
    all files below an unreadable folder or an unmounted disk.
    """

    def __init__(self, finder: Finder, failures: FailureLimit, report: Report) -> None:
        self._finder = finder
        self._failures = failures
        self._report = report
        self._spared: Counter[tuple[Path, str]] = Counter()

    def prune(self, client: Nalanda, library_id: str) -> None:
        """Delete the documents of missing files, and report each.

        Raises:
            NalandaError: the server or the library is unavailable.
            IngestionEnded: too many deletions in a row failed.
        """
        listed = client.documents.list(library_id, page_size=_PAGE_SIZE)
        gone = [(document, path) for document in listed if (path := self._gone(document))]
        for document, path in gone:
            self._delete(client, library_id, document, path)
        for (folder, why), number in sorted(self._spared.items()):
            documents = "1 document" if number == 1 else f"{number} documents"
            text = f"{why}, so {documents} below it can't be pruned"
            self._report.note(self._as_given(folder), text)

    def _gone(self, document: Document) -> Path | None:
        """Return the path of a document's file if it was in the folders and is gone."""
        path = path_of(document)
        if path is None or str(path) in self._finder.files:
            return None
        above = {str(folder) for folder in path.parents}
        if above.isdisjoint(self._finder.folders) or not self._is_gone(path):
            return None
        if (reason := self._reason_to_spare(document, path, above)) is not None:
            self._spared[reason] += 1
            return None
        return path

    def _is_gone(self, path: Path) -> bool:
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False
        real = os.path.realpath(path)
        has_moved = real != str(path) and real in self._finder.files
        return has_moved or not stat.S_ISREG(mode)

    def _reason_to_spare(
        self, document: Document, path: Path, above: set[str]
    ) -> tuple[Path, str] | None:
        for folder in above & self._finder.unread:
            return Path(folder), "can't be listed"
        for folder in above & self._finder.bare:
            return Path(folder), "has no file of a known kind"
        mount = from_uri(str(document.metadata.get(MOUNT)))
        if mount is not None and not _is_mounted(mount):
            return mount, "is not mounted"
        there = next(part for part in (path, *path.parents) if os.path.lexists(part))
        return None if there.exists() else (there, "is a broken link")

    def _delete(self, client: Nalanda, library_id: str, document: Document, path: Path) -> None:
        """Delete the listed version; a later version comes from a file that exists again."""
        try:
            client.documents.delete(library_id, document.id, if_match=document.version)
        except (NotFoundError, PreconditionFailedError):
            return
        except NalandaError as error:
            self._failures.report_failure(self._as_given(path), error)
        else:
            self._failures.report_success()
            self._report.count("pruned", self._as_given(path))

    def _as_given(self, path: Path) -> Path:
        """Return a real path in the form of the finder's paths, which may be relative."""
        for above in (path, *path.parents):
            if (folder := self._finder.folders.get(str(above))) is not None:
                return folder / path.relative_to(above)
        return path


def _is_mounted(mount: Path) -> bool:
    try:
        return mount.is_mount()
    except OSError:
        return False
