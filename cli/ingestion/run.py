"""One pass of `nalanda ingest`: the files are sent, and the documents of missing ones pruned."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.connection import PATIENT, connect
from cli.ingestion.durable import DurableSender
from cli.ingestion.errors import TemporalUnreachable
from cli.ingestion.failures import FailureLimit
from cli.ingestion.finding import Finder
from cli.ingestion.pruning import Pruner
from cli.ingestion.report import Report
from cli.ingestion.sending import Sender
from core.domain.library import Language
from nalanda import ConflictError, Library, Nalanda


@dataclass(slots=True)
class Run:
    """Passes into one library; `probe` is a client with few retries.

    `library` is the existing library, or `None` until the first file creates it.
    """

    probe: Nalanda
    name: str
    language: Language
    report: Report
    library: Library | None
    direct: bool
    prune: bool

    def ingest(self, finder: Finder, files: Sequence[Path], *, prune: bool) -> None:
        """Ingest the files, then prune what is gone from the finder's folders.

        Raises:
            NalandaError: the server or the library is unavailable.
            IngestionEnded: further files are pointless.
        """
        if not files and (self.library is None or not prune):
            return
        is_new = self.library is None
        library = self.library = self.library or self._create()
        failures = FailureLimit(self.probe, library.id, self.report)
        with connect(max_retries=PATIENT) as client:
            with self.report.progress(len(files)):
                if self.direct:
                    Sender(client, library, failures, self.report).send_all(files)
                elif files:
                    _check_temporal(client)
                    DurableSender(client, library, self.report).send_all(files)
            if is_new and self.language is Language.AUTO:
                # The first file, which settled it, may be in another language than the rest.
                client.libraries.update(library.id, {"language": Language.AUTO})
            if prune:
                Pruner(finder, failures, self.report).prune(client, library.id)

    def _create(self) -> Library:
        try:
            return self.probe.libraries.create(self.name, language=self.language)
        except ConflictError:  # a concurrent run created the library
            return self.probe.libraries.get(self.name)


def _check_temporal(client: Nalanda) -> None:
    """Check that the server reaches Temporal.

    Raises:
        NalandaError: the server is unavailable.
        TemporalUnreachable: the server says so.
    """
    if client.ready().checks.get("temporal", "ok") != "ok":
        raise TemporalUnreachable(
            "Temporal is unreachable, and ingestions need it. Start it, or use --direct."
        )
