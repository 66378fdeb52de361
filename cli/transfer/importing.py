"""Import of a checked file into a server.

A repeated import skips the documents and chunks that are already up to date.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from cli.transfer.exporting import documents_of
from cli.transfer.records import ChunkRecord, Origin, Settings
from cli.transfer.refusals import name_refusal
from cli.transfer.staging import StagedChunk, StagedDocument, Staging
from cli.transfer.target import Outcome, Target
from core.domain.errors import Conflict
from core.domain.values import to_json
from nalanda import (
    Chunk,
    ChunkOptions,
    Document,
    Library,
    Nalanda,
    NotFoundError,
)

_AT_ONCE = 500
"""Maximum number of chunks in a request."""

_MAX_WEIGHT = 8 * 2**20
"""Maximum weight of a request's chunks, unless it has only one."""

_SETTLED = ("dimension", "metric", "embedding_model")
"""Settings that determine a library's vectors."""


def find_library(client: Nalanda, name: str, settings: Settings) -> Library | None:
    """Return the library with this name.

    Raises:
        Conflict: the library's vectors differ in kind from the file's.
    """
    try:
        library = client.libraries.get(name)
    except NotFoundError:
        return None
    for setting in _SETTLED:
        here, there = getattr(library, setting), settings.get(setting)
        if None not in (here, there) and here != there:
            raise Conflict(
                f"The library {name} has the {setting} {here}, but the file has {there}."
            )
    return library


def import_documents(
    client: Nalanda, target: Target, staging: Staging, progress: Callable[[int], None]
) -> None:
    """Import the staged documents, and count their outcomes in the target.

    `progress` gets the number of chunks.

    Raises:
        StorageError: the server refuses a document or a chunk; the error names its row or line.
    """
    library_id = target.id
    there = documents_of(client, library_id)
    done = 0
    for document in staging.documents():
        known = there.get(document.record.id)
        if known is not None and _is_same(client, library_id, document, known):
            outcome: Outcome = "unchanged"
            done += sum(1 for _ in document.chunks())
        else:
            for sent in _send(client, library_id, document, staging.origin):
                done += sent
                progress(done)
            outcome = "added" if known is None else "changed"
        target.counts[outcome] += 1
        progress(done)


def _send(
    client: Nalanda, library_id: str, document: StagedDocument, origin: Origin
) -> Iterator[int]:
    """Send a document, in several requests if it is large; yield the number of chunks in each."""
    batches = _batches(document.chunks())
    first, record = next(batches, []), document.record
    with name_refusal(origin, document, first):
        client.documents.replace(
            library_id,
            record.id,
            title=record.title,
            source=record.source,
            metadata=record.metadata,
            chunks=[_options(chunk.record) for chunk in first],
        )
    yield len(first)
    for chunks in batches:
        with name_refusal(origin, document, chunks):
            client.chunks.add(library_id, record.id, [_options(chunk.record) for chunk in chunks])
        yield len(chunks)


def _is_same(client: Nalanda, library_id: str, wanted: StagedDocument, there: Document) -> bool:
    record = wanted.record
    if (record.title, record.source) != (there.title, there.source):
        return False
    if not _are_same(record.metadata, there.metadata):
        return False
    chunks = client.chunks.list(
        library_id, document_id=record.id, include=["embedding"], page_size=_AT_ONCE
    )
    staged = wanted.chunks()
    for chunk in chunks:
        same = next(staged, None)
        if same is None or not _is_same_chunk(same.record, chunk):
            return False
    return next(staged, None) is None


def _is_same_chunk(wanted: ChunkRecord, there: Chunk) -> bool:
    """Return whether the stored chunk matches the file's, which may lack an id or an embedding."""
    if wanted.text != there.text or wanted.id not in (None, there.id):
        return False
    if wanted.place != there.place or not _are_same(wanted.metadata, there.metadata):
        return False
    embedding = wanted.embedding
    return embedding is None or np.array_equal(embedding, np.array(there.embedding, np.float32))


def _are_same(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    """Compare as JSON, where 1 equals neither true nor 1.0."""
    return wanted == there and to_json(wanted) == to_json(there)


def _options(chunk: ChunkRecord) -> ChunkOptions:
    options: ChunkOptions = {"text": chunk.text, "metadata": chunk.metadata}
    if chunk.id is not None:
        options["id"] = chunk.id
    if chunk.embedding is not None:
        options["embedding"] = chunk.embedding
    if chunk.place is not None:
        options["place"] = chunk.place
    return options


def _batches(chunks: Iterable[StagedChunk]) -> Iterator[list[StagedChunk]]:
    batch: list[StagedChunk] = []
    weight = 0
    for chunk in chunks:
        if batch and (len(batch) == _AT_ONCE or weight + chunk.weight > _MAX_WEIGHT):
            yield batch
            batch, weight = [], 0
        batch.append(chunk)
        weight += chunk.weight
    if batch:
        yield batch
