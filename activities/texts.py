"""Chunk texts for the stages, read over REST so that they stay out of Temporal's history."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.contracts.query import RankedChunk
from core.domain.batches import batches
from core.domain.place import context_of
from core.providers.base import Passage
from nalanda import AsyncNalanda, Chunk, Place

BATCH = 100
"""Maximum number of ids in a request, whose URL carries them."""


@dataclass(frozen=True, slots=True)
class PinnedHits:
    """The unchanged hits with their passages, and the ids of chunks changed or deleted since.

    `places` has the place of each unchanged hit by its chunk's id.
    """

    hits: list[RankedChunk]
    passages: list[Passage]
    changed: list[str]
    places: Mapping[str, Place | None] = field(default_factory=dict)


async def read(
    client: AsyncNalanda, library_id: str, hits: Sequence[RankedChunk], position: int
) -> PinnedHits:
    """Read the hits' texts at the position or later."""
    chunks: list[Chunk] = []
    for wanted in _filters(hits):
        listed = client.chunks.list(library_id, filter=wanted, min_position=position)
        chunks += [chunk async for chunk in listed]
    return pin(hits, chunks)


def pin(hits: Sequence[RankedChunk], chunks: Iterable[Chunk]) -> PinnedHits:
    """Match the hits, in order, with the chunks of the same id and version."""
    by_version = {(chunk.id, chunk.version): chunk for chunk in chunks}
    pairs = [(hit, by_version.get((hit.chunk_id, hit.version))) for hit in hits]
    same = [(hit, chunk) for hit, chunk in pairs if chunk is not None]
    return PinnedHits(
        hits=[hit for hit, _ in same],
        passages=[
            Passage(
                hit.chunk_id, hit.document_id, chunk.text, hit.score, context=_context_of(chunk)
            )
            for hit, chunk in same
        ],
        changed=[hit.chunk_id for hit, chunk in pairs if chunk is None],
        places={chunk.id: chunk.place for _, chunk in same},
    )


def _context_of(chunk: Chunk) -> str:
    place = chunk.place
    return context_of(place.title, place.headings) if place else ""


def _filters(hits: Sequence[RankedChunk]) -> Iterator[dict[str, Any]]:
    for some in batches(hits, BATCH):
        yield {"field": "chunk.id", "op": "in", "value": [hit.chunk_id for hit in some]}
