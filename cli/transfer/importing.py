"""A library into a server. It may be done again: what is there as it should be is left alone."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal, TypeVar

import numpy as np

from cli.transfer.exporting import documents_of
from cli.transfer.records import ChunkRecord, DocumentRecord, Outline
from core.domain.errors import Conflict
from nalanda import ChunkOptions, Document, Library, Nalanda, NotFoundError

Outcome = Literal["added", "changed", "unchanged"]
OUTCOMES: tuple[Outcome, ...] = ("added", "changed", "unchanged")

_AT_ONCE = 500
"""Chunks in one request."""

_SETTLED = ("dimension", "metric", "embedding_model")
"""Settings that the vectors of a library rest on."""

T = TypeVar("T")


def ensured(client: Nalanda, name: str, outline: Outline) -> Library:
    """The library of this name, created as the file has it if it is missing.

    Raises:
        Conflict: the one that is there has vectors of another kind.
    """
    try:
        library = client.libraries.get(name)
    except NotFoundError:
        return client.libraries.create(name, **outline.settings)
    for setting in _SETTLED:
        here, there = getattr(library, setting), outline.settings.get(setting)
        if None not in (here, there) and here != there:
            raise Conflict(
                f"The library {name} has the {setting} {here}, and that of the file is {there}."
            )
    return library


def bring(
    client: Nalanda,
    library: Library,
    documents: Iterable[DocumentRecord],
    told: Callable[[int], None],
) -> Counter[Outcome]:
    """How many documents had which outcome; `told` how many chunks there were so far."""
    there = documents_of(client, library)
    outcomes: Counter[Outcome] = Counter()
    done = 0
    for record in documents:
        outcomes[_brought(client, library, record, there.get(record.id))] += 1
        done += len(record.chunks)
        told(done)
    return outcomes


def _brought(
    client: Nalanda, library: Library, record: DocumentRecord, there: Document | None
) -> Outcome:
    if there is not None and _is_same(client, library, record, there):
        return "unchanged"
    first, *others = list(_batches(record.chunks, _AT_ONCE)) or [[]]
    client.documents.replace(
        library.id,
        record.id,
        title=record.title,
        source=record.source,
        metadata=record.metadata,
        chunks=[_options(chunk) for chunk in first],
    )
    for chunks in others:
        client.chunks.add(library.id, record.id, [_options(chunk) for chunk in chunks])
    return "added" if there is None else "changed"


def _is_same(client: Nalanda, library: Library, record: DocumentRecord, there: Document) -> bool:
    said = (record.title, record.source, record.metadata)
    if said != (there.title, there.source, there.metadata):
        return False
    chunks = client.chunks.list(
        library.id, document_id=record.id, include=["embedding"], page_size=_AT_ONCE
    )
    wanted = iter(record.chunks)
    for chunk in chunks:
        same = next(wanted, None)
        if same is None or (same.id, same.text, same.metadata) != (
            chunk.id,
            chunk.text,
            chunk.metadata,
        ):
            return False
        if not np.array_equal(same.embedding, np.array(chunk.embedding, np.float32)):
            return False
    return next(wanted, None) is None


def _options(chunk: ChunkRecord) -> ChunkOptions:
    return {
        "id": chunk.id,
        "text": chunk.text,
        "embedding": chunk.embedding,
        "metadata": chunk.metadata,
    }


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
