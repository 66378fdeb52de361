"""Publishes the leader's checkpoints in an object store, from which new followers fetch them."""

import logging
import math
import os
from collections.abc import Callable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from core.background_thread import BackgroundThread
from core.indexing.checkpoints.paths import SUFFIX, newest_in, paths_in
from core.ports.checkpoint_source import CheckpointStore

KEPT = 2
"""The number of published checkpoints: the newest, and one that a follower may be fetching."""
GRACE = timedelta(hours=1)
"""The age from which an unreferenced file is deleted; a younger one may be of an upload."""
_RETRY_S = 60.0
_FAILURE = "The checkpoint could not be published; it will be tried again."

_log = logging.getLogger(__name__)


class CheckpointPublisher:
    """The thread that publishes each checkpoint of this node's while it leads.

    Files have names of their own and never change, so that only new ones are uploaded; the
    manifest, which names them, comes last.
    """

    def __init__(self, directory: Path, store: CheckpointStore, leads: Callable[[], bool]) -> None:
        self._directory = directory
        self._store = store
        self._leads = leads
        self._published: str | None = None
        self._thread = BackgroundThread(
            "publishing", self._publish_if_new, failure=_FAILURE, retry_s=_RETRY_S
        )

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Look for a new checkpoint."""
        self._thread.wake()

    def close(self) -> None:
        self._thread.close()

    def _publish_if_new(self) -> float:
        newest = newest_in(self._directory)
        if newest is None or newest.name == self._published or not self._leads():
            return math.inf
        try:
            self.publish(newest)
        except OSError as error:  # also if a newer checkpoint, which wakes the thread, replaced it
            _log.warning("%s %s", _FAILURE, error)
            return _RETRY_S
        self._published = newest.name
        return math.inf

    def publish(self, path: Path) -> None:
        """Upload the checkpoint with this manifest, and delete what no published one refers to.

        Raises:
            FileNotFoundError: a file of the checkpoint is no longer there.
            OSError: the store refuses, or a manifest can't be read.
        """
        files = self._files_of(path)
        for name in sorted(files - self._store.entries().keys()):
            if self._thread.is_closed:
                return
            self._store.put(name, self._directory / name)
        self._store.put(path.name, path)  # one of the same position may be of another history
        _log.info("The checkpoint %s was published in %s.", path.name, self._store)
        self._tidy(path, files)

    def _tidy(self, newest: Path, files: Set[str]) -> None:
        """Delete older checkpoints, later ones of a record that went back, and old leftovers."""
        entries = self._store.entries()
        manifests = {name for name in entries if name.endswith(SUFFIX)}
        known = [path for path in paths_in(self._directory) if path.name in manifests]
        kept = set(sorted(path.name for path in known if path.name <= newest.name)[-KEPT:])
        others = (self._files_of(self._directory / name) for name in kept - {newest.name})
        referenced = kept.union(files, *others)
        self._store.delete(sorted((manifests - kept) | _leftovers(entries, referenced)))

    def _files_of(self, path: Path) -> frozenset[str]:
        # Imported late: the import of the kernels takes half of a process's start.
        from core.indexing.checkpoints.manifest import read_manifest
        from core.indexing.container.container import DamagedFile

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            try:
                return frozenset(read_manifest(path, pool).files)
            except DamagedFile as error:
                raise OSError(f"{path} is damaged: {error}") from error


def _leftovers(entries: Mapping[str, datetime], referenced: set[str]) -> set[str]:
    """Return the files that no kept manifest refers to, and that are older than an upload takes."""
    now = max(entries.values())
    return {
        name
        for name, written in entries.items()
        if name not in referenced and not name.endswith(SUFFIX) and now - written > GRACE
    }
