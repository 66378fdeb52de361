"""Lookups that return `None` for a missing row, and a scan of all chunks."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from core.domain.document import Chunk
from core.domain.errors import NotFound
from core.domain.model_change import ModelChange
from core.ports.rows import ChunkReader
from core.ports.store import Snapshot, UnitOfWork

T = TypeVar("T")

_PAGE_ROWS = 1000


def find(get: Callable[..., T], *key: str) -> T | None:
    """Return `get(*key)`, or `None` where it raises `NotFound`."""
    try:
        return get(*key)
    except NotFound:
        return None


def last_model_change(record: Snapshot | UnitOfWork, library_id: str) -> ModelChange | None:
    return find(record.entities(ModelChange).get, library_id, ModelChange.id)


def every_chunk(chunks: ChunkReader, library_id: str) -> Iterator[Chunk]:
    """Yield all chunks of a library, in order of id, without their embeddings."""
    after: str | None = None
    while page := chunks.page(library_id, after=after, limit=_PAGE_ROWS):
        yield from page
        after = page[-1].id
