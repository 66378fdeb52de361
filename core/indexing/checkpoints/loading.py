"""Restores the catalog's state from the newest checkpoint and the log after it.

Some rows are read from the record, in their current version: rows that the log says were written
since the checkpoint, and rows in no sealed segment. Their old rows in the checkpoint's segments are
dead. So no write has to be replayed one by one.
"""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from immutables import Map

from core.domain.batches import batches
from core.domain.document import Document
from core.domain.library import Library
from core.indexing.checkpoints.loaded import LoadedCheckpoint, SetAsideFile
from core.indexing.checkpoints.manifest import (
    LibraryEntry,
    Manifest,
    SegmentEntry,
    read_manifest,
)
from core.indexing.checkpoints.paths import paths_in
from core.indexing.checkpoints.segments import open_segment, reopen_segment
from core.indexing.checkpoints.writing import StoredSegment
from core.indexing.container.container import DamagedFile
from core.indexing.lexical.analysis import fingerprint_of
from core.indexing.lexical.checkpointed import StoredLexicalIndex, verify
from core.indexing.segment.segment import Segment
from core.indexing.views import next_view
from core.indexing.views.record import AT_ONCE, documents_of, from_record, libraries_of
from core.indexing.views.touched import Touched, touched_by
from core.indexing.views.view import LibraryView
from core.ports.store import Snapshot

DAMAGED = "damaged"
"""The folder that unusable files are moved to."""

_log = logging.getLogger(__name__)


OpenSegments: TypeAlias = Mapping[tuple[str, str, str], Segment]
"""The segments of a checkpoint that are open, by the names of their files."""


class CheckpointLoader:
    """The loading of one checkpoint; `pool` computes checksums.

    `repairs`: unusable files are set aside, and their libraries are missing until they are rebuilt;
    else they are errors. `open_segments`: those whose files need not be opened again.
    `first_row_id`: the least row id of rows that are in no sealed segment. `holds`: whether this
    node holds the library with an id; one that is in no checkpoint is not held yet. `None`: all.
    """

    def __init__(
        self,
        directory: Path,
        snapshot: Snapshot,
        pool: Executor,
        *,
        repairs: bool = True,
        open_segments: OpenSegments = MappingProxyType({}),
        first_row_id: int = 0,
        holds: Callable[[str], bool] | None = None,
    ) -> None:
        self._directory = directory
        self._snapshot = snapshot
        self._pool = pool
        self._repairs = repairs
        self._open = open_segments
        self._first_row_id = first_row_id
        self._holds = holds
        self._checkpoint = LoadedCheckpoint()
        self._touched: Mapping[str, Touched] = {}
        self.open_segments: dict[tuple[str, str, str], Segment] = {}

    def load(self) -> LoadedCheckpoint:
        """Load every library from the newest usable checkpoint, else from the record.

        Raises:
            OSError: the directory, or a file in it, cannot be read.
            DamagedFile: a file is damaged or missing, and `repairs` is false.
        """
        paths = paths_in(self._directory)
        manifests = [manifest for path in paths if (manifest := self._manifest(path))]
        self._checkpoint.manifests = manifests
        newest = manifests[0] if manifests else None
        if newest is not None:
            self._touched = touched_by(self._snapshot.log.after(newest.position))
        for library in libraries_of(self._snapshot):
            entry = None if newest is None else newest.libraries.get(library.id)
            self._load_library(library, entry)
        return self._checkpoint

    def _manifest(self, path: Path) -> Manifest | None:
        """Read a manifest; `None` if it is damaged, of another record, or older than the log."""
        try:
            manifest = read_manifest(path, self._pool)
        except DamagedFile as error:
            self._set_aside(error)
            return None
        entry = next(iter(self._snapshot.log.after(manifest.position - 1)), None)
        if entry is None or (entry.position, entry.at.isoformat(), entry.hash) != (
            manifest.position,
            manifest.at,
            manifest.log_hash,
        ):
            if self._repairs:
                self._set_aside(DamagedFile(path, "The record's log does not have its position."))
            return None
        return manifest

    def _load_library(self, library: Library, entry: LibraryEntry | None) -> None:
        if self._holds is not None and (entry is None or not self._holds(library.id)):
            self._checkpoint.elsewhere.append(_absent(library, entry))
            return
        view = None
        if entry is not None and entry.created_at == library.created_at.isoformat():
            try:
                view = self._from_files(library, entry)
            except DamagedFile as error:
                self._set_aside(error)
                self._checkpoint.missing.append(library)
                return
        elif entry is None and self._checkpoint.set_aside and not self._checkpoint.manifests:
            self._checkpoint.missing.append(library)
            return
        if view is not None and entry is not None:
            self._load_lexical_index(library, entry.lexical)
        # A view from the record has new row ids, which no stored lexical index knows.
        self._checkpoint.views.append(
            view or from_record(self._snapshot, library, first_row_id=self._first_row_id)
        )

    def _load_lexical_index(self, library: Library, lexical: StoredLexicalIndex | None) -> None:
        if lexical is None or lexical.fingerprint != fingerprint_of(library):
            return
        try:
            verify(self._directory, lexical, self._pool)
        except DamagedFile as error:
            self._set_aside(error)
        else:
            self._checkpoint.lexical[library.id] = lexical

    def _from_files(self, library: Library, entry: LibraryEntry) -> LibraryView | None:
        """Load a library from files; `None` if its metric or dimension has changed since.

        Raises:
            DamagedFile: a file is damaged or missing.
        """
        documents = documents_of(self._snapshot, library.id)
        segments, known = [], []
        for stored in entry.segments:
            segment = self._segment(library.id, stored, documents)
            if (
                segment.rows.metric is not library.metric
                or segment.rows.dimension != library.dimension
            ):
                return None
            known.append(StoredSegment.of(segment, stored.files))
            if segment.live:
                segments.append(segment)
        next_row_id = max(entry.next_row_id, self._first_row_id)
        view = LibraryView(library, tuple(segments), next_row_id, documents)
        changed = self._touched_in(library.id).chunks
        view = next_view.without_chunks(view, changed)
        for ids in batches(changed | set(entry.unsealed), AT_ONCE):
            view = next_view.with_chunks(
                view, self._snapshot.chunks.get_many_embedded(library.id, ids)
            )
        self._checkpoint.known += known
        return view

    def _segment(
        self, library_id: str, stored: SegmentEntry, documents: Map[str, Document]
    ) -> Segment:
        touched = self._touched_in(library_id).documents
        stale = stored.stale | {id_ for id_ in touched if id_ in documents}
        known = self._open.get(stored.files.names)
        if known is None:
            segment = open_segment(
                self._directory, stored.files, stored.alive, stale, documents, self._pool
            )
        else:
            segment = reopen_segment(known, stored.alive, stale, documents)
        self.open_segments[stored.files.names] = segment
        return segment

    def _touched_in(self, library_id: str) -> Touched:
        return self._touched.get(library_id) or Touched()

    def _set_aside(self, error: DamagedFile) -> None:
        """Set a file aside.

        Raises:
            DamagedFile: the loader does not repair.
        """
        if not self._repairs:
            raise error
        _log.warning("Set aside, and made again from the record: %s", error)
        self._checkpoint.set_aside.append(SetAsideFile(error.path.name, error.problem))
        folder = self._directory / DAMAGED
        folder.mkdir(exist_ok=True)
        if error.path.exists():
            error.path.replace(folder / error.path.name)


def _absent(library: Library, entry: LibraryEntry | None) -> LibraryView:
    return LibraryView(library, next_row_id=0 if entry is None else entry.next_row_id)
