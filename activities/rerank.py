"""The rerank stage: order the hits by how well their texts answer the question."""

from temporalio import activity

from activities.texts import PinnedHits, read, read_async
from core.contracts.names import RERANK
from core.contracts.query import RerankInput, RerankOutput
from core.providers.base import AsyncReranker, Reranker, Reranking
from nalanda import AsyncNalanda, Nalanda


class Rerank:
    """The rerank stage with a computing reranker, on a thread."""

    def __init__(self, client: Nalanda, reranker: Reranker) -> None:
        self._client = client
        self._reranker = reranker

    @activity.defn(name=RERANK)
    def rerank(self, question: RerankInput) -> RerankOutput:
        found = read(self._client, question.library_id, question.hits, question.position)
        reranking = self._reranker.rerank(question.query, found.passages, question.top_n)
        return rerank_output(found, reranking)


class AsyncRerank:
    """The rerank stage with a remote reranker."""

    def __init__(self, client: AsyncNalanda, reranker: AsyncReranker) -> None:
        self._client = client
        self._reranker = reranker

    @activity.defn(name=RERANK)
    async def rerank(self, question: RerankInput) -> RerankOutput:
        found = await read_async(
            self._client, question.library_id, question.hits, question.position
        )
        reranking = await self._reranker.rerank(question.query, found.passages, question.top_n)
        return rerank_output(found, reranking)


def rerank_output(found: PinnedHits, reranking: Reranking) -> RerankOutput:
    hits = [
        found.hits[scored.index].model_copy(update={"rerank_score": scored.score})
        for scored in reranking.order
    ]
    return RerankOutput(hits=hits, changed=found.changed, usage=reranking.usage)
