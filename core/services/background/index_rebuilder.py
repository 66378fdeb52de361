"""Rebuilds the index of a library from the record, in the background."""

from core.background_thread import BackgroundThread
from core.domain.errors import NotFound
from core.indexing.views.catalog import Catalog
from core.indexing.views.record import from_record
from core.ports.store import Store

_RETRY_S, _CLOSE_S = 5.0, 1.0


class IndexRebuilder:
    """The thread that rebuilds the libraries that the catalog lacks at the start."""

    def __init__(self, catalog: Catalog, store: Store) -> None:
        self._catalog = catalog
        self._store = store
        self._thread = BackgroundThread(
            "rebuilding",
            self._rebuild_next,
            failure="A library could not be read; it will be tried again.",
            retry_s=_RETRY_S,
        )

    def start(self) -> None:
        if self._catalog.state.missing:
            self._thread.start()

    def close(self) -> None:
        """Stop after the current library; call it before the store closes, which ends its read."""
        self._thread.close(_CLOSE_S)

    def _rebuild_next(self) -> float | None:
        missing = self._catalog.state.missing
        if not missing:
            return None
        self._rebuild(next(iter(missing)))
        return 0.0

    def _rebuild(self, library_id: str) -> None:
        with self._store.read() as snapshot:
            try:
                library = snapshot.libraries.get(library_id)
            except NotFound:
                return  # deleted meanwhile; the catalog gets the commit itself
            view = from_record(snapshot, library)
        self._catalog.wait_for(snapshot.position, _RETRY_S)
        self._catalog.complete(snapshot.position, view)
