"""Looking for what may not be there, and through all that is."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from core.domain.document import Chunk
from core.domain.errors import NotFound
from core.ports.store import ChunkReader

T = TypeVar("T")

_PAGE_ROWS = 1000


def find(get: Callable[..., T], *key: str) -> T | None:
    """`get(*key)`, or `None` where it says that there is no such thing."""
    try:
        return get(*key)
    except NotFound:
        return None


def every_chunk(chunks: ChunkReader, library_id: str) -> Iterator[Chunk]:
    """All of a library, in order of id, without their embeddings."""
    after: str | None = None
    while page := chunks.page(library_id, after=after, limit=_PAGE_ROWS):
        yield from page
        after = page[-1].id
