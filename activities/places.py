"""The places of citations: their chunks' own, with the titles and sources of the documents."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.contracts.query import Citation, CitedPlace, RankedChunk
from core.domain.place import Box, union
from nalanda import AsyncNalanda, Document, Place


@dataclass(frozen=True, slots=True)
class Places:
    """The places of chunks and their documents, by their ids."""

    chunks: Mapping[str, Place | None]
    documents: Mapping[str, Document]

    def cite(self, citations: Iterable[Citation]) -> list[Citation]:
        """Return the citations with their places."""
        return [
            citation.model_copy(update={"place": self._place(citation)}) for citation in citations
        ]

    def _place(self, citation: Citation) -> CitedPlace:
        """Return the place with what the document adds, unless that was deleted meanwhile."""
        own = self.chunks.get(citation.chunk_id) or Place()
        document = self.documents.get(citation.document_id)
        return CitedPlace(
            source=document.source if document else None,
            title=own.title or (document.title if document else None),
            headings=own.headings,
            page=own.page,
            box=_box(own, citation.quote_start, citation.quote_end),
            line=own.line,
        )


async def read_documents(
    client: AsyncNalanda, library_id: str, hits: Sequence[RankedChunk], position: int
) -> Mapping[str, Document]:
    """Read the documents of the hits at the position or later, by id."""
    ids = list(dict.fromkeys(hit.document_id for hit in hits))
    return await client.documents.get_many(library_id, ids, min_position=position)


def _box(place: Place, start: int, end: int) -> Box | None:
    """Return the box around the sentences and rows of a span, or the chunk's box without these."""
    boxes = list(_boxes(place, start, end))
    return union(boxes) if boxes else place.box


def _boxes(place: Place, start: int, end: int) -> Iterator[Box]:
    parts = place.boxes or []
    bounds = [*(part.start for part in parts), end]
    for part, (first, last) in zip(parts, pairwise(bounds), strict=True):
        if first < end and start < last:
            yield part.box
