"""The retrieve stage: find the nearest chunks by a search over REST."""

from temporalio import activity

from core.contracts.query import RankedChunk, RetrieveInput, RetrieveOutput, Stage
from nalanda import AsyncNalanda, SearchOptions, SearchResult, ValidationError


class Retrieve:
    def __init__(self, client: AsyncNalanda) -> None:
        self._client = client

    @activity.defn(name=Stage.RETRIEVE)
    async def retrieve(self, question: RetrieveInput) -> RetrieveOutput:
        try:
            result = await self._search(question)
        except ValidationError as error:
            if not _has_other_model(error):
                raise
            # The library's model was changed after the question was embedded.
            result = await self._search(question.model_copy(update={"embedding": None}))
        return to_output(result)

    async def _search(self, question: RetrieveInput) -> SearchResult:
        return await self._client.search(
            question.library_id, min_position=question.min_position, **search_options(question)
        )


def search_options(question: RetrieveInput) -> SearchOptions:
    """Return the search of the mode, by vector, words or both; hits carry only ids.

    Without an embedding, the API embeds the question.
    """
    search = SearchOptions(k=question.k, mode=question.mode, filter=question.filter, include=[])
    embeds = question.mode != "lexical"
    if embeds and question.embedding is not None:
        search["embedding"] = question.embedding
        search["embedding_model"] = question.embedding_model
    if question.mode != "vector" or question.embedding is None:
        search["text"] = question.query
    return search


def _has_other_model(error: ValidationError) -> bool:
    return any(fault.pointer == "/embedding_model" for fault in error.errors)


def to_output(result: SearchResult) -> RetrieveOutput:
    """Return the hits, each pinned to its chunk's version."""
    hits = [
        RankedChunk(
            chunk_id=hit.chunk_id, document_id=hit.document_id, version=hit.version, score=hit.score
        )
        for hit in result.hits
    ]
    return RetrieveOutput(hits=hits, position=result.position)
