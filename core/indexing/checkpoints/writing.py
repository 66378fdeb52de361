"""Writes the catalog's state as a checkpoint; segments that are already in files are reused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core import crash_points
from core.domain.ids import new_id
from core.indexing.attributes import AttributeIndex
from core.indexing.checkpoints.attribute_file import write_attributes
from core.indexing.checkpoints.manifest import (
    LibraryEntry,
    Manifest,
    SegmentEntry,
    write_manifest,
)
from core.indexing.checkpoints.paths import path_of
from core.indexing.checkpoints.segments import SegmentFiles, write_segment
from core.indexing.lexical.analysis import fingerprint_of
from core.indexing.lexical.checkpointed import StoredLexicalIndex
from core.indexing.segment.rows import Rows
from core.indexing.segment.segment import Segment
from core.indexing.views.catalog import CatalogState
from core.indexing.views.view import LibraryView

CHECKPOINTS_KEPT = 2
"""The number of checkpoints to keep: the newest, and one in case the newest is damaged."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredSegment:
    """A segment on disk; `rows` and `attributes` are those that its files contain."""

    rows: Rows
    attributes: AttributeIndex
    key_count: int
    files: SegmentFiles

    @classmethod
    def of(cls, segment: Segment, files: SegmentFiles) -> "StoredSegment":
        assert segment.attributes is not None
        return cls(segment.rows, segment.attributes, len(segment.attributes.keys), files)


class CheckpointWriter:
    """The writer of checkpoints, used by one thread; `known`: the segments loaded from files."""

    def __init__(self, directory: Path, known: Iterable[StoredSegment]) -> None:
        self._directory = directory
        # Keyed by the identity of `rows`, which each value keeps alive, so ids are not reused.
        self._written = {id(segment.rows): segment for segment in known}

    def write(
        self, state: CatalogState, at: str, lexical: Mapping[str, StoredLexicalIndex]
    ) -> Manifest:
        """Write a checkpoint durably.

        `at`: the log's time of the position. `lexical`: lexical indexes by library, none of them
        ahead of the state. `delete_unreferenced` removes files that a crash
        leaves behind.

        Raises:
            OSError: no room, or no permission. The earlier checkpoints stay intact.
        """
        libraries = {
            id_: self._library(view, lexical.get(id_)) for id_, view in state.views.items()
        }
        manifest = Manifest(state.position, at, libraries, state.log_hash)
        crash_points.reach("checkpoint.segments")
        write_manifest(self._directory, manifest)
        crash_points.reach("checkpoint.written")
        there = {id(segment.rows) for view in state.views.values() for segment in view.segments}
        self._written = {key: files for key, files in self._written.items() if key in there}
        return manifest

    def _library(self, view: LibraryView, lexical: StoredLexicalIndex | None) -> LibraryEntry:
        segments = [
            self._segment(segment) for segment in view.segments if segment.index is not None
        ]
        unsealed = [
            segment.rows.chunks[row].id
            for segment in view.segments
            if segment.index is None
            for row in np.flatnonzero(segment.alive[: segment.size]).tolist()
        ]
        library = view.library
        created_at = library.created_at.isoformat()
        if lexical is not None and lexical.fingerprint != fingerprint_of(library):
            lexical = None
        return LibraryEntry(library.id, created_at, view.next_row_id, segments, unsealed, lexical)

    def _segment(self, segment: Segment) -> SegmentEntry:
        written = self._written.get(id(segment.rows))
        attributes = segment.attributes
        assert attributes is not None
        if written is None:
            written = StoredSegment.of(segment, write_segment(self._directory, new_id(), segment))
        elif written.attributes is not attributes or written.key_count < len(attributes.keys):
            written = StoredSegment.of(segment, self._with_attributes(written.files, attributes))
        self._written[id(segment.rows)] = written
        return SegmentEntry(written.files, segment.alive[: segment.size], segment.stale)

    def _with_attributes(self, files: SegmentFiles, attributes: AttributeIndex) -> SegmentFiles:
        """Write the attribute index again, as its columns or documents differ from the file's."""
        name = f"{new_id()}.attributes"
        checksum = write_attributes(self._directory / name, attributes)
        checksums = {n: c for n, c in files.checksums.items() if n != files.attributes}
        return replace(files, attributes=name, checksums=checksums | {name: checksum})


def delete_unreferenced(directory: Path, manifests: list[Manifest]) -> None:
    """Remove all files that none of these checkpoints refers to."""
    referenced = {name for manifest in manifests for name in manifest.files}
    referenced |= {path_of(directory, manifest.position).name for manifest in manifests}
    for path in directory.iterdir():
        if path.is_file() and path.name not in referenced:
            path.unlink(missing_ok=True)
