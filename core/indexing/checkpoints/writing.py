"""From the catalog's state to a checkpoint: what is in files already is not written again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core import crash_points
from core.domain.ids import new_id
from core.indexing.attributes import AttributeIndex
from core.indexing.checkpoints.attribute_file import write_attributes
from core.indexing.checkpoints.found import path_of
from core.indexing.checkpoints.manifest import (
    KeptLibrary,
    KeptSegment,
    Manifest,
    write_manifest,
)
from core.indexing.checkpoints.segments import SegmentFiles, write_segment
from core.indexing.lexical.analysis import made_for
from core.indexing.lexical.checkpointed import KeptWords
from core.indexing.segment.rows import Rows
from core.indexing.segment.segment import Segment
from core.indexing.views.catalog import CatalogState
from core.indexing.views.view import LibraryView

KEPT = 2
"""So many checkpoints are kept: the newest, and one in case that is damaged."""


@dataclass(frozen=True, slots=True, eq=False)
class InFiles:
    """A segment that is on the disk: `rows` and `attributes` are those that the files have."""

    rows: Rows
    attributes: AttributeIndex
    made: int
    files: SegmentFiles

    @classmethod
    def of(cls, segment: Segment, files: SegmentFiles) -> "InFiles":
        assert segment.attributes is not None
        return cls(segment.rows, segment.attributes, len(segment.attributes.made), files)


class CheckpointWriter:
    """For one thread. `known`: the segments that a start has found in files."""

    def __init__(self, directory: Path, known: Iterable[InFiles]) -> None:
        self._directory = directory
        # By identity, which is that of the arrays: each refers to them, so that it stays theirs.
        self._written = {id(segment.rows): segment for segment in known}

    def write(self, state: CatalogState, at: str, words: Mapping[str, KeptWords]) -> Manifest:
        """Durably, in place of the oldest one. `at`: when the log says that the position was
        written. `words`: by library, indexes of words none of which is ahead of the state. What a
        crash leaves behind half done is removed by the next.

        Raises:
            OSError: no room, or no permission. The checkpoints that there were are there still.
        """
        libraries = {id_: self._library(view, words.get(id_)) for id_, view in state.views.items()}
        manifest = Manifest(state.position, at, libraries)
        crash_points.reach("checkpoint.segments")
        write_manifest(self._directory, manifest)
        crash_points.reach("checkpoint.written")
        there = {id(segment.rows) for view in state.views.values() for segment in view.segments}
        self._written = {key: files for key, files in self._written.items() if key in there}
        return manifest

    def _library(self, view: LibraryView, words: KeptWords | None) -> KeptLibrary:
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
        if words is not None and words.made_for != made_for(library):
            words = None
        return KeptLibrary(library.id, created_at, view.next_row_id, segments, unsealed, words)

    def _segment(self, segment: Segment) -> KeptSegment:
        written = self._written.get(id(segment.rows))
        attributes = segment.attributes
        assert attributes is not None
        if written is None:
            written = InFiles.of(segment, write_segment(self._directory, new_id(), segment))
        elif written.attributes is not attributes or written.made < len(attributes.made):
            written = InFiles.of(segment, self._with_attributes(written.files, attributes))
        self._written[id(segment.rows)] = written
        return KeptSegment(written.files, segment.alive[: segment.size], segment.stale)

    def _with_attributes(self, files: SegmentFiles, attributes: AttributeIndex) -> SegmentFiles:
        """Filters have asked for other fields since, or documents are others."""
        name = f"{new_id()}.attributes"
        checksum = write_attributes(self._directory / name, attributes)
        checksums = {n: c for n, c in files.checksums.items() if n != files.attributes}
        return replace(files, attributes=name, checksums=checksums | {name: checksum})


def tidy(directory: Path, manifests: list[Manifest]) -> None:
    """Removes all files but those of these checkpoints."""
    kept = {name for manifest in manifests for name in manifest.files}
    kept |= {path_of(directory, manifest.position).name for manifest in manifests}
    for path in directory.iterdir():
        if path.is_file() and path.name not in kept:
            path.unlink(missing_ok=True)
