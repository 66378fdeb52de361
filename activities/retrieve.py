"""The retrieve stage: find the nearest chunks by a search over REST."""

from temporalio import activity

from core.contracts.query import RankedChunk, RetrieveInput, RetrieveOutput, Stage
from nalanda import AsyncNalanda, SearchOptions, SearchResult


class Retrieve:
    def __init__(self, client: AsyncNalanda) -> None:
        self._client = client

    @activity.defn(name=Stage.RETRIEVE)
    async def retrieve(self, question: RetrieveInput) -> RetrieveOutput:
        found = await self._client.search(
            question.library_id, min_position=question.min_position, **search_options(question)
        )
        return retrieve_output(found)


def search_options(question: RetrieveInput) -> SearchOptions:
    """Return the search of the mode, by vector, words or both; hits carry only ids."""
    search = SearchOptions(k=question.k, mode=question.mode, filter=question.filter, include=[])
    if question.mode != "lexical":
        search["embedding"] = question.embedding
    if question.mode != "vector":
        search["text"] = question.query
    return search


def retrieve_output(found: SearchResult) -> RetrieveOutput:
    """Return the hits, each pinned to its chunk's version."""
    hits = [
        RankedChunk(
            chunk_id=hit.chunk_id, document_id=hit.document_id, version=hit.version, score=hit.score
        )
        for hit in found.hits
    ]
    return RetrieveOutput(hits=hits, position=found.position)
