"""Loads the index as a server's start does: from the newest checkpoint and the log after it.

A start moves the files that it can't use. Verification changes no file, so it loads from a
temporary directory of links.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from core.indexing.checkpoints.loaded import LoadedCheckpoint
from core.indexing.checkpoints.loading import CheckpointLoader
from core.indexing.checkpoints.paths import SUFFIX
from core.indexing.views.catalog import Catalog, CatalogState
from core.indexing.views.record import from_record
from core.ports.store import Snapshot

_ATTEMPTS = 5


@contextmanager
def load_index(directory: Path, snapshot: Snapshot) -> Iterator[tuple[Catalog, list[str]]]:
    """Yield the catalog, and one line for each file that a start could not use.

    Libraries whose files can't be used are built from the record. A server may replace
    checkpoints meanwhile; the newer ones are then loaded.

    Raises:
        OSError: the files can't be read.
    """
    with TemporaryDirectory(prefix="nalanda-verify-") as links:
        checkpoint = _load(directory, Path(links), snapshot)
        built = [from_record(snapshot, library) for library in checkpoint.missing]
        problems = [f"checkpoints: {aside.name}: {aside.problem}" for aside in checkpoint.set_aside]
        yield Catalog(CatalogState.of(snapshot.position, [*checkpoint.views, *built])), problems


def _load(directory: Path, links: Path, snapshot: Snapshot) -> LoadedCheckpoint:
    for attempt in range(_ATTEMPTS):
        place = links / str(attempt)
        place.mkdir()
        _link(directory, place, snapshot.position)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            checkpoint = CheckpointLoader(place, snapshot, pool).load()
        if all((directory / aside.name).exists() for aside in checkpoint.set_aside):
            break
    return checkpoint


def _link(directory: Path, place: Path, position: int) -> None:
    """Link all files of `directory`, except checkpoints newer than `position`."""
    for path in directory.iterdir() if directory.is_dir() else ():
        is_checkpoint = path.suffix == SUFFIX and path.stem.isdigit()
        newer = is_checkpoint and int(path.stem) > position
        if path.is_file() and not newer:
            (place / path.name).symlink_to(path.absolute())
