"""Verification of the record through the ports: the log, the versions and the vectors."""

from collections.abc import Iterator

import numpy as np

from core.domain import digest
from core.domain.batches import batches
from core.domain.document import EmbeddedChunk
from core.domain.library import Library
from core.indexing.views.record import AT_ONCE, documents_of, libraries_of
from core.ports.store import Snapshot


def problems(snapshot: Snapshot) -> Iterator[str]:
    """Yield one line for each problem."""
    yield from _log(snapshot)
    for library in libraries_of(snapshot):
        versions = {f"library {library.name!r}": library.version}
        documents = documents_of(snapshot, library.id)
        versions |= {f"document {id_!r}": document.version for id_, document in documents.items()}
        for what, version in versions.items():
            yield from _version(what, version, snapshot)
        for row in snapshot.chunks.scan(library.id):
            yield from _version(f"chunk {row.chunk.id!r}", row.chunk.version, snapshot)
            yield from _embedding(library, row)


def digest_of_record(snapshot: Snapshot) -> str:
    """Return the digest of the record's state (`core.domain.digest`): O(rows)."""
    total = digest.zero()
    for library in libraries_of(snapshot):
        total += digest.sum_of(digest.library_hashes([library]))
        documents = documents_of(snapshot, library.id)
        total += digest.sum_of(digest.document_hashes(documents.values()))
        for rows in batches(snapshot.chunks.scan(library.id), AT_ONCE):
            total += digest.sum_of(digest.chunk_hashes(rows))
    return digest.to_hex(total)


def _log(snapshot: Snapshot) -> Iterator[str]:
    oldest = snapshot.log.oldest
    expected = 1 if oldest is None else oldest
    for entry in snapshot.log.after(expected - 1):
        if entry.position != expected:
            yield f"log: positions {expected} to {entry.position - 1} are missing"
        expected = entry.position + 1
    if expected != snapshot.position + 1:
        at = f"the database is at position {snapshot.position}"
        yield f"log: it ends at {expected - 1}, and {at}"


def _version(what: str, version: int, snapshot: Snapshot) -> Iterator[str]:
    if version > snapshot.position:
        yield f"{what} has the version {version}, after the database's position"


def _embedding(library: Library, row: EmbeddedChunk) -> Iterator[str]:
    where = f"the embedding of chunk {row.chunk.id!r} in {library.name!r}"
    if len(row.embedding) != library.dimension:
        yield f"{where} has {len(row.embedding)} numbers, not {library.dimension}"
    elif not np.isfinite(row.embedding).all():
        yield f"{where} is not finite"
