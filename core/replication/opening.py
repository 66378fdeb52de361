"""Opens the index at a start: from checkpoints, which another node may give, and the record."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.domain.errors import StorageError
from core.indexing.checkpoints.loaded import LoadedCheckpoint
from core.indexing.views.catalog import Catalog, CatalogState
from core.indexing.views.record import from_record, libraries_of
from core.indexing.views.view import LibraryView
from core.ports.checkpoint_source import CheckpointSource
from core.ports.store import Snapshot, Store
from core.replication.fetching import needs_checkpoint, try_to_fetch


def fetch_checkpoint(
    store: Store,
    sources: Callable[[], Iterable[CheckpointSource]],
    directory: Path,
    holds: Callable[[str], bool] | None = None,
) -> None:
    """Fetch a checkpoint of the first source that has one, if none of the node's own will do.

    `holds`: of some libraries only.
    """
    with store.read() as snapshot:
        if not needs_checkpoint(directory, snapshot):
            return
    any(try_to_fetch(source, directory, holds) for source in sources())


def open_catalog(
    store: Store, directory: Path, holds: Callable[[str], bool] | None = None
) -> tuple[Catalog, LoadedCheckpoint]:
    """Load the catalog and subscribe it to commits; no write may run until it returns.

    `holds`: whether the node holds the library with an id. A library that is in no checkpoint is
    then elsewhere, until its index is built.

    Raises:
        StorageError: the checkpoints' files can't be read.
    """
    with store.read() as snapshot:
        loaded = load_index(snapshot, directory, holds)
        state = CatalogState.of_snapshot(
            snapshot, loaded.views, loaded.missing, elsewhere=loaded.elsewhere
        )
        catalog = Catalog(state)
    store.subscribe(catalog.apply)
    return catalog, loaded


def load_index(
    snapshot: Snapshot, directory: Path, holds: Callable[[str], bool] | None = None
) -> LoadedCheckpoint:
    """Load the views from checkpoints, or build them from the record where there are none.

    Raises:
        StorageError: the checkpoints' files can't be read.
    """
    if not any(directory.iterdir()):
        libraries = libraries_of(snapshot)
        if holds is not None:
            return LoadedCheckpoint(elsewhere=[LibraryView(each) for each in libraries])
        return LoadedCheckpoint(views=[from_record(snapshot, each) for each in libraries])
    # Imported late: the import of the kernels takes half of a process's start.
    from core.indexing.checkpoints.loading import CheckpointLoader

    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return CheckpointLoader(directory, snapshot, pool, holds=holds).load()
    except OSError as error:
        raise StorageError(f"{directory} can't be read: {error.strerror}") from error
