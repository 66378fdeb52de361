"""The places of citations: their chunks' own, with the titles and sources of the documents."""

from collections.abc import Iterable

from activities.texts import PinnedHits
from core.contracts.query import Citation, CitedPlace
from nalanda import AsyncNalanda, Document, Place


async def read_places(
    client: AsyncNalanda, library_id: str, pinned: PinnedHits, position: int
) -> dict[str, CitedPlace]:
    """Return the place of each chunk by its id; read the documents at the position or later."""
    ids = list(dict.fromkeys(hit.document_id for hit in pinned.hits))
    documents = await client.documents.get_many(library_id, ids, min_position=position)
    return {
        hit.chunk_id: _cited_place(pinned.places[hit.chunk_id], documents.get(hit.document_id))
        for hit in pinned.hits
    }


def with_places(citations: Iterable[Citation], places: dict[str, CitedPlace]) -> list[Citation]:
    return [
        citation.model_copy(update={"place": places.get(citation.chunk_id)})
        for citation in citations
    ]


def _cited_place(place: Place | None, document: Document | None) -> CitedPlace:
    """Return the place with what the document adds, unless that was deleted meanwhile."""
    own = place or Place()
    return CitedPlace(
        source=document.source if document else None,
        title=own.title or (document.title if document else None),
        headings=own.headings,
        page=own.page,
        box=own.box,
        line=own.line,
    )
