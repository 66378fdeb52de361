"""The rows that a part of the log wrote or deleted, by library."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.domain.changes import (
    ChunksDeleted,
    ChunksRef,
    DocumentDeleted,
    DocumentRef,
    LibraryDeleted,
    LibraryRef,
)
from core.ports.store import LogEntry


@dataclass(slots=True)
class Touched:
    """The documents and chunks of a library that were written or deleted, by id.

    `is_put`: the library itself was written. `is_deleted`: it was deleted; all else is of the
    library that has its id since.
    """

    is_deleted: bool = False
    is_put: bool = False
    documents: set[str] = field(default_factory=set)
    chunks: set[str] = field(default_factory=set)


def touched_by(entries: Iterable[LogEntry]) -> Mapping[str, Touched]:
    """Return what the entries touched, by library; a library that they did not is missing."""
    touched: dict[str, Touched] = defaultdict(Touched)
    for entry in entries:
        for change in entry.changes:
            match change:
                case LibraryRef(library_id):
                    touched[library_id].is_put = True
                case LibraryDeleted(library_id):
                    touched[library_id] = Touched(is_deleted=True)
                case DocumentRef(library_id, id_) | DocumentDeleted(library_id, id_):
                    touched[library_id].documents.add(id_)
                case ChunksRef(library_id, ids) | ChunksDeleted(library_id, ids):
                    touched[library_id].chunks.update(ids)
    return dict(touched)
