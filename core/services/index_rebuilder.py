"""Rebuilds the index of a library from the record, in the background."""

import logging
import threading

from core.domain.errors import NalandaError, NotFound
from core.indexing.views.catalog import Catalog
from core.indexing.views.record import from_record
from core.ports.store import Store

_RETRY_S = 5.0

_log = logging.getLogger(__name__)


class IndexRebuilder:
    """The thread that rebuilds the libraries that the catalog lacks at the start."""

    def __init__(self, catalog: Catalog, store: Store) -> None:
        self._catalog = catalog
        self._store = store
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rebuilding", daemon=True)

    def start(self) -> None:
        if self._catalog.state.missing:
            self._thread.start()

    def close(self) -> None:
        """Stop after the current library; call it before the store closes, which ends its read."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.is_set() and (missing := self._catalog.state.missing):
            try:
                self._rebuild(next(iter(missing)))
            except NalandaError:
                if not self._closed.wait(_RETRY_S):
                    _log.exception("A library could not be read; it will be tried again.")

    def _rebuild(self, library_id: str) -> None:
        with self._store.read() as snapshot:
            try:
                library = snapshot.libraries.get(library_id)
            except NotFound:
                return  # deleted meanwhile; the catalog gets the commit itself
            view = from_record(snapshot, library)
        self._catalog.wait_for(snapshot.position, _RETRY_S)
        self._catalog.complete(snapshot.position, view)
