"""The rerank stage: order the hits by how well their texts answer the question."""

from temporalio import activity

from activities.texts import read
from core.contracts.query import RerankInput, RerankOutput, Stage
from core.providers.base import AsyncReranker
from nalanda import AsyncNalanda


class Rerank:
    def __init__(self, client: AsyncNalanda, reranker: AsyncReranker) -> None:
        self._client = client
        self._reranker = reranker

    @activity.defn(name=Stage.RERANK)
    async def rerank(self, question: RerankInput) -> RerankOutput:
        pinned = await read(self._client, question.library_id, question.hits, question.position)
        reranking = await self._reranker.rerank(question.query, pinned.passages, question.top_n)
        hits = [
            pinned.hits[scored.index].model_copy(update={"rerank_score": scored.score})
            for scored in reranking.order
        ]
        return RerankOutput(hits=hits, changed=pinned.changed, usage=reranking.usage)
